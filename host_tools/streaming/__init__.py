"""Running chains of layers row by row, so that wide maps never lie in memory as a whole."""
