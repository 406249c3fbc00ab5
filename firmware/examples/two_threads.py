"""Two threads share one net: the weights are in memory once, each thread has an extractor and an arena of its own.

    nnmicro demo --save .                                  (makes the models and brings this program)
    nnmicro push digits.nnm --device D
    mpremote connect D run two_threads.py

Needs a port with `_thread` (unix, rp2, esp32). On the Picos the second thread runs on the second core. Prints:

    thread 0: 20 inferences, all a 3
    thread 1: 20 inferences, all a 3
    one net, two arenas of 6144 bytes
"""

import _thread
import time

import nnmicro

# A scan of a 3 that the network has not seen: 8 rows of 8 pixels, 0 to 16 (G).
ROWS = "00EGE600 007AGG30 0005GG10 0002G800 0000CD10 00004G70 0059EG70 00DGGA10"
THREE = bytes(int(pixel, 17) for pixel in ROWS.replace(" ", ""))

INFERENCES = 20
net = nnmicro.Net("digits.nnm")  # may be shared; an extractor belongs to one thread
answers = [None, None]


def work(number):
    found = set()
    with net.extractor(arena=nnmicro.Arena(net.arena_size)) as ex:
        for _ in range(INFERENCES):
            ex.input("image", THREE)
            found.add(net.labels[ex.extract("scores").argmax()])
            ex.reset()
    answers[number] = found


_thread.start_new_thread(work, (0,))
work(1)
while answers[0] is None:
    time.sleep_ms(1)

for number in range(2):
    print("thread %d: %d inferences, all a %s" % (number, INFERENCES, " or ".join(sorted(answers[number]))))
print("one net, two arenas of %d bytes" % net.arena_size)
