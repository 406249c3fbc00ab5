"""Find the layer that goes wrong: lightmode off keeps every blob, so that each can be looked at.

    nnmicro demo --save .                                  (makes the models and brings this program)
    nnmicro push digits.nnm --device D
    mpremote connect D run find_the_layer.py

From the computer one command does it, against the original model in its own runtime:

    nnmicro verify digits.nnm --against digits.onnx --layers --device D

Here, on the device alone: one weight of the model is damaged, and its blobs are compared with those of the sound one.
Prints:

    … image: the same
    … stem/relu: the same
    … block1/depthwise/relu: the same
    … block1/pointwise/norm: the same
    … block1/add: the same
    … down/relu: differs by up to …
    the layer down/relu is where it begins
    check_weights() says: …checksum…
"""

import nnmicro

# A scan of a 3 that the network has not seen: 8 rows of 8 pixels, 0 to 16 (G).
ROWS = "00EGE600 007AGG30 0005GG10 0002G800 0000CD10 00004G70 0059EG70 00DGGA10"
THREE = bytes(int(pixel, 17) for pixel in ROWS.replace(" ", ""))


def blobs(net):
    """Every blob of an inference by its name, in the order they are computed."""
    with net.extractor(lightmode=False) as ex:
        ex.input("image", THREE)
        ex.extract("scores")
        order = sorted(range(net.n_blobs), key=net.producer)
        return [(net.name(blob), ex.extract(blob).copy()) for blob in order]


with open("digits.nnm", "rb") as file:
    data = bytearray(file.read())
sound = nnmicro.Net("digits.nnm")
at = sound.weights_at + sound.weights_bytes // 6
data[at + 3] ^= 0x40  # a bit of the exponent of one weight
damaged = nnmicro.Net(data)

for (name, right), (_, found) in zip(blobs(sound), blobs(damaged)):
    worst = max(abs(right[i] - found[i]) for i in range(len(right)))
    print("%6d bytes %s: %s" % (right.nbytes, name, "differs by up to %.3g" % worst if worst else "the same"))
    if worst:
        print("the layer %s is where it begins" % name)
        break
try:
    damaged.check_weights()
except nnmicro.ModelError as error:
    print("check_weights() says: %s" % error)
