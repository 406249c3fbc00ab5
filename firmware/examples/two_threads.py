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


def work(ex):
    """What one thread does with its extractor: all that was recognised."""
    found = set()
    for _ in range(INFERENCES):
        ex.input("image", THREE)
        found.add(net.labels[ex.extract("scores").argmax()])
        ex.reset()
    return found


def second():
    try:
        answers[0] = work(extractors[0])
    except BaseException as error:  # nobody sees it otherwise, and the first thread would wait for ever
        answers[0] = {repr(error)}


# The engine loads its parts when they are first asked for, and `import` in two threads at once is not safe where they
# run truly beside each other. So the first inference of each extractor runs before there are two threads.
extractors = [net.extractor(arena=nnmicro.Arena(net.arena_size)) for _ in range(2)]
for ex in extractors:
    work(ex)

_thread.start_new_thread(second, ())
answers[1] = work(extractors[1])
while answers[0] is None:
    time.sleep_ms(1)

for number in range(2):
    print("thread %d: %d inferences, all a %s" % (number, INFERENCES, " or ".join(sorted(answers[number]))))
print("one net, two arenas of %d bytes" % net.arena_size)
