"""The boards that nnmicro knows: one folder each, with its profile in board.toml."""
