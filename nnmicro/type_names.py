"""What element types are called, by their number in a model file."""

TYPE_NAMES = ("", "float32", "int8", "uint8", "int16", "int32")


def type_name(dtype):
    """Also for a number that a damaged file has."""
    return TYPE_NAMES[dtype] if 0 < dtype < len(TYPE_NAMES) else "of unknown type %d" % dtype
