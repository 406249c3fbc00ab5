"""An inference in small steps, with other tasks alive beside it.

    nnmicro push digits.nnm --device D       (the model as the demo converts it)
    mpremote connect D run firmware/examples/asyncio_beside_inference.py

`step` runs one layer and comes back, so a blinking light, a watchdog or a network connection waits no longer than the
longest layer takes. Prints how often the other task had its turn while the network was thinking, and the answer.
"""

import asyncio

import nnmicro

# A scan of a 3 that the network has not seen, pixels 0 to 16.
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

turns = 0


async def blink():
    """Stands for whatever else a board has to do."""
    global turns
    while True:
        turns += 1
        await asyncio.sleep(0)


async def answer(ex, name):
    while ex.step(name):
        await asyncio.sleep(0)
    return ex.extract(name)


async def main():
    net = nnmicro.Net("digits.nnm")
    other = asyncio.create_task(blink())
    with net.extractor() as ex:
        ex.input("image", THREE)
        scores = await answer(ex, "scores")
        other.cancel()
        print("other task: %d turns" % turns)
        print("answer: %s" % net.labels[scores.argmax()])


asyncio.run(main())
