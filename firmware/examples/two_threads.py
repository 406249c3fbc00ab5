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

THREE = bytes((
    0, 0, 14, 16, 14, 6, 0, 0,
    0, 0, 7, 10, 16, 16, 3, 0,
    0, 0, 0, 5, 16, 16, 1, 0,
    0, 0, 0, 2, 16, 8, 0, 0,
    0, 0, 0, 0, 12, 13, 1, 0,
    0, 0, 0, 0, 4, 16, 7, 0,
    0, 0, 5, 9, 14, 16, 7, 0,
    0, 0, 13, 16, 16, 10, 1, 0,
))  # fmt: skip

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
