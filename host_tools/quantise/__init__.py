"""Post-training quantisation: a float32 ONNX model and some typical inputs become an int8 model.

    model, report = quantise_model("digits.onnx", "digits_calibration.npz", "digits_int8.onnx")
    print(report.agreement)

README.md in this folder says what a calibration set looks like and what the figures of the report mean.
"""

from .calibration import Calibration, load_calibration
from .quantiser import quantise_model, quantised_graph
from .report import LayerNoise, QuantisationReport

__all__ = [
    "Calibration",
    "LayerNoise",
    "QuantisationReport",
    "load_calibration",
    "quantise_model",
    "quantised_graph",
]
