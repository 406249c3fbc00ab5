"""Wake on a sound: a spectrogram is fed to the network row by row, as the microphone delivers it.

    nnmicro demo --save .                                  (makes the models and brings this program)
    nnmicro push whistle.nnm --device D
    mpremote connect D run wake_on_a_sound.py

The model was converted with `--stream max --feed spectrogram`: each row is computed on as it comes and then forgotten,
so that neither the sound nor its spectrogram is ever in memory as a whole. Here three sounds are made up; on a board
`record` would read 128 samples from the microphone (I2S, ADC). Prints:

    noise: nothing
    a rising whistle: rising, wake up
    a falling whistle: falling
    16 rows of 32 bytes, in an arena of 192 bytes
"""

import math
from array import array

import nnmicro

RATE = 8000  # samples a second
SAMPLES = 128  # of a row: 16 ms
FRAMES, BANDS = 16, 8
CYCLES = tuple(8 + 4 * band for band in range(BANDS))  # of each band's tone in a row: 500 to 2,250 Hz

samples = array("f", (0 for _ in range(SAMPLES)))
row = array("f", (0 for _ in range(BANDS)))


def record(kind, frame):
    """The next row's samples: noise, and a tone that goes up or down by a band each row."""
    seed = 1000 * frame + 1
    band = frame % BANDS
    step = 2 * math.pi * CYCLES[band if kind == "a rising whistle" else BANDS - 1 - band] / SAMPLES
    for i in range(SAMPLES):
        seed = seed * 1103515245 + 12345 & 0xFFFFFF
        samples[i] = (seed / 0xFFFFFF - 0.5) * 0.2
        if kind != "noise":
            samples[i] += math.sin(step * i)


def spectrum():
    """How loud each band is, 0 to about 1: Goertzel's algorithm, a multiplication for each sample and band."""
    for band in range(BANDS):
        factor = 2 * math.cos(2 * math.pi * CYCLES[band] / SAMPLES)
        one = two = 0.0
        for value in samples:
            one, two = value + factor * one - two, one
        row[band] = math.sqrt(max(0.0, one * one + two * two - factor * one * two)) * 2 / SAMPLES


net = nnmicro.Net("whistle.nnm")
for kind in ("noise", "a rising whistle", "a falling whistle"):
    with net.extractor() as ex:
        left = FRAMES
        while left:
            record(kind, FRAMES - left)
            spectrum()
            left = ex.feed("spectrogram", bytes(row))
        answer = net.labels[ex.extract("answer").argmax()]
    print("%s: %s%s" % (kind, answer, ", wake up" if answer == "rising" else ""))
print("%d rows of %d bytes, in an arena of %d bytes" % (FRAMES, 4 * BANDS, net.arena_size))
