"""The demonstration network: a classifier of handwritten digits, its held-out scans and its training."""
