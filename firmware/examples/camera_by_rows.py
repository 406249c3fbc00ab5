"""A camera's frame, row by row: the frame is never in memory, only the rows that the network still needs.

    nnmicro demo --save .                                  (makes the models and brings this program)
    nnmicro push digits_rows.nnm --device D
    mpremote connect D run camera_by_rows.py

The model was converted with `--stream max --feed image`. The camera has 64 x 64 pixels and gives a row at a time; eight
of its rows make one of the network's. On a board `readline` would take the row from the camera's DMA buffer. Prints:

    frame 64 x 64 = 4096 bytes, network's rows 8 x 32 bytes
    an arena of 2816 bytes
    it is a 3
"""

from array import array

import nnmicro

SIZE, PIXELS = 64, 8  # of the camera, and of what the network takes
SCALE = SIZE // PIXELS

# A scan of a 3 that the network has not seen: 8 rows of 8 pixels, 0 to 16 (G).
ROWS = "00EGE600 007AGG30 0005GG10 0002G800 0000CD10 00004G70 0059EG70 00DGGA10"
THREE = bytes(int(pixel, 17) for pixel in ROWS.replace(" ", ""))


def readline(y, into):
    """Stands for the camera: a row of a frame that shows a 3, a byte for each pixel."""
    for x in range(SIZE):
        into[x] = THREE[y // SCALE * PIXELS + x // SCALE] * 15


line = bytearray(SIZE)
row = array("f", (0 for _ in range(PIXELS)))
net = nnmicro.Net("digits_rows.nnm")

with net.extractor() as ex:
    for y in range(SIZE):
        readline(y, line)
        for x in range(SIZE):
            row[x // SCALE] += line[x]
        if y % SCALE == SCALE - 1:
            for x in range(PIXELS):
                row[x] /= SCALE * SCALE * 15  # 0 to 16, as the network was trained
            ex.feed("image", bytes(row))  # computes on right away
            for x in range(PIXELS):
                row[x] = 0
    scores = ex.extract("scores")
    print("frame %d x %d = %d bytes, network's rows %d x %d bytes" % (SIZE, SIZE, SIZE * SIZE, PIXELS, 4 * PIXELS))
    print("an arena of %d bytes" % net.arena_size)
    print("it is a %s" % net.labels[scores.argmax()])
