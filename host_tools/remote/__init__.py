"""Inference on a device, driven from the host."""
