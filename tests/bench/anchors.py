"""What others take for the same networks: executed instructions, counted as here, and published cycles."""

from __future__ import annotations

# TensorFlow Lite Micro with CMSIS-NN, -O2, gcc 12.2: instructions of an inference, by core and network.
PEER = {
    "m4": {"kws": 7_698_927, "ic": 29_863_569, "vww": 24_101_895, "ad": 582_945},
    "m3": {"kws": 10_533_696, "ic": 41_847_371, "vww": 31_959_088, "ad": 955_947},
    "m0": {"kws": 29_001_138, "ic": 97_556_037, "vww": 86_902_923, "ad": 1_763_135},
}
# The same with TensorFlow Lite Micro's reference kernels.
PEER_REFERENCE = {
    "m4": {"kws": 43_112_540, "ic": 107_485_949, "vww": 100_481_704, "ad": 1_954_069},
    "m3": {"kws": 42_090_388, "ic": 105_766_527, "vww": 99_024_552, "ad": 1_954_109},
    "m0": {"kws": 70_670_708, "ic": 167_853_847, "vww": 160_040_706, "ad": 3_377_906},
}
# PEER by kind of layer, over the four networks.
PEER_KINDS = {
    "m4": {
        "first": 6_274_053,
        "1x1": 19_839_313,
        "3x3": 24_397_127,
        "depthwise": 8_704_608,
        "dense": 589_043,
        "average": 95_412,
        "add": 2_338_027,
    },
    "m3": {
        "first": 7_262_384,
        "1x1": 28_358_524,
        "3x3": 35_727_055,
        "depthwise": 10_338_309,
        "dense": 966_087,
        "average": 223_350,
        "add": 2_410_548,
    },
    "m0": {
        "first": 14_990_602,
        "1x1": 68_615_252,
        "3x3": 82_536_674,
        "depthwise": 40_126_707,
        "dense": 1_780_098,
        "average": 331_946,
        "add": 6_809_818,
    },
}
# Cycles for each multiplication on real boards: MLPerf Tiny's results (mlcommons/tiny_results) for a NUCLEO-L4R5ZI,
# Cortex-M4 at 120 MHz, and for an STM32G0B1, Cortex-M0+ at 64 MHz: milliseconds by clock and nominal multiplications.
PUBLISHED = {
    "m4": {
        "TensorFlow Lite Micro 2.3.1": {"kws": 8.22, "ic": 6.76, "vww": 9.62, "ad": 4.57},
        "microTVM with CMSIS-NN": {"kws": 4.51, "ic": 3.74, "vww": 4.83, "ad": 3.91},
        "X-CUBE-AI 9.0": {"kws": 1.95, "ic": 1.58, "vww": 1.42, "ad": 2.39},
        "Plumerai 2023.05": {"kws": 2.16, "ic": 1.61, "vww": 1.58, "ad": 1.84},
    },
    "m0": {"Bosch HALE": {"kws": 11.4, "ic": 7.79, "vww": 12.1, "ad": 9.91}},
}
