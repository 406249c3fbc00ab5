"""An inference in small steps: other tasks stay alive beside it, and a watchdog is fed between layers.

    nnmicro demo --save .                                  (makes the models and brings this program)
    nnmicro push digits.nnm --device D
    mpremote connect D run asyncio_beside_inference.py

`step` runs one layer and comes back, so that a blinking light or a network connection waits no longer than the longest
layer takes. Prints how often the other task had its turn meanwhile, and the longest that the watchdog had to wait:

    answer: 3
    other task: … turns
    watchdog fed … times, at most … ms apart
"""

import asyncio
import time

import nnmicro

# A scan of a 3 that the network has not seen: 8 rows of 8 pixels, 0 to 16 (G).
ROWS = "00EGE600 007AGG30 0005GG10 0002G800 0000CD10 00004G70 0059EG70 00DGGA10"
THREE = bytes(int(pixel, 17) for pixel in ROWS.replace(" ", ""))

turns = 0


class Watchdog:
    """Only measures. On a board: `machine.WDT(timeout=500)`, which resets it where `feed` comes too late."""

    def __init__(self):
        self.times = self.longest = 0
        self.last = time.ticks_ms()

    def feed(self):
        now = time.ticks_ms()
        self.longest = max(self.longest, time.ticks_diff(now, self.last))
        self.last = now
        self.times += 1


async def blink():
    """Stands for whatever else a board has to do."""
    global turns
    while True:
        turns += 1
        await asyncio.sleep(0)


async def answer(ex, name, watchdog):
    while ex.step(name):
        watchdog.feed()
        await asyncio.sleep(0)
    return ex.extract(name)


async def main():
    net = nnmicro.Net("digits.nnm")
    other = asyncio.create_task(blink())
    with net.extractor() as ex:
        ex.input("image", THREE)
        watchdog = Watchdog()
        scores = await answer(ex, "scores", watchdog)
        other.cancel()
        print("answer: %s" % net.labels[scores.argmax()])
    print("other task: %d turns" % turns)
    print("watchdog fed %d times, at most %d ms apart" % (watchdog.times, watchdog.longest))


asyncio.run(main())
