"""A new model while the application runs: the old one works until the new one has passed its golden vectors.

    nnmicro demo --save .                                  (makes the models and brings this program)
    nnmicro push digits.nnm --device D
    mpremote connect D run update_while_running.py

The model was converted with `--golden 2`. An application would get the new file over the network; here it is a copy of
the old one, first a damaged one, then a sound one. There must be memory for both nets' files, not for both arenas: the
old net's extractor is closed before the new one tests itself. Prints:

    inference 0: 3
    an update is refused: …checksum…
    inference 1: 3, by the old model
    an update has passed 2 golden vectors
    inference 2: 3, by the new model
"""

import os

import nnmicro

# A scan of a 3 that the network has not seen: 8 rows of 8 pixels, 0 to 16 (G).
ROWS = "00EGE600 007AGG30 0005GG10 0002G800 0000CD10 00004G70 0059EG70 00DGGA10"
THREE = bytes(int(pixel, 17) for pixel in ROWS.replace(" ", ""))

MODEL, UPDATE = "digits.nnm", "update.nnm"


def updated(net):
    """The net to go on with, called between two inferences: that of a new file if it is good, else the old one."""
    try:
        os.stat(UPDATE)
    except OSError:
        return net
    try:
        new = nnmicro.Net(UPDATE)  # refuses a file that is cut off, damaged or for another engine
        passed = new.selftest()  # weights against their checksum, answers against the original's
        same = new.inputs == net.inputs and new.outputs == net.outputs
        if not same:
            raise nnmicro.ModelError("it takes %s and gives %s" % (new.inputs, new.outputs))
    except (nnmicro.ModelError, MemoryError, OSError) as error:
        print("an update is refused: %s" % error)
        os.remove(UPDATE)
        return net
    print("an update has passed %d golden vectors" % passed)
    os.rename(UPDATE, MODEL)  # littlefs: one or the other, whatever moment the power goes
    return new


def infer(net):
    with net.extractor() as ex:
        ex.input("image", THREE)
        return net.labels[ex.extract("scores").argmax()]


def arrive(damaged):
    """Stands for a download."""
    with open(MODEL, "rb") as file:
        data = bytearray(file.read())
    if damaged:
        data[net.weights_at] ^= 1
    with open(UPDATE, "wb") as file:
        file.write(data)


net = nnmicro.Net(MODEL)
print("inference 0: %s" % infer(net))
for number, damaged in ((1, True), (2, False)):
    arrive(damaged)
    old, net = net, updated(net)
    print("inference %d: %s, by the %s model" % (number, infer(net), "old" if net is old else "new"))
