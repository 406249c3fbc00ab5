"""Recognise a handwritten digit.

    nnmicro demo --save .                                  (makes the models and brings this program)
    nnmicro push digits.nnm --device D
    mpremote connect D run recognise_a_digit.py

Prints:

    it is a 3
    score 4.16 for 3, -0.86 for 5
    … ms
    and again: 3
"""

import time

import nnmicro

# A scan of a 3 that the network has not seen: 8 rows of 8 pixels, 0 to 16 (G).
ROWS = "00EGE600 007AGG30 0005GG10 0002G800 0000CD10 00004G70 0059EG70 00DGGA10"
THREE = bytes(int(pixel, 17) for pixel in ROWS.replace(" ", ""))

net = nnmicro.Net("digits.nnm")  # load once
ex = net.extractor()  # its memory is used again by every inference

start = time.ticks_ms()
ex.input("image", THREE)
scores = ex.extract("scores")  # lies in the arena until reset()
took = time.ticks_diff(time.ticks_ms(), start)

order = sorted(range(len(scores)), key=lambda i: -scores[i])
print("it is a %s" % net.labels[order[0]])
print(
    "score %.2f for %s, %.2f for %s" % (scores[order[0]], net.labels[order[0]], scores[order[1]], net.labels[order[1]])
)
print("%d ms" % took)

# The next inference, with the same extractor and in the same memory:
ex.reset()
ex.input("image", THREE)
print("and again: %s" % net.labels[ex.extract("scores").argmax()])
