"""Quantised ONNX models: the operators between DequantizeLinear and QuantizeLinear as int8 layers."""
