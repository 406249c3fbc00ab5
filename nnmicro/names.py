"""A blob by its name, and the near names for an error's text. Loaded for a name that is no input's or output's."""

from .port import const
from .sections import text_at

_BLOB_WORDS = const(16)
_B_NAME = const(15)


def find(net, name):
    """Index of the blob called `name`; KeyError with near names, or RecycledError for one that was fused away."""
    if not net.names_bytes:
        raise KeyError(
            "this model's names were stripped: ask for blobs by index, 0 to %d, not %r" % (net.n_blobs - 1, name)
        )
    w = net.words
    for i in range(net.n_blobs):
        at = w[net.blobs_at + i * _BLOB_WORDS + _B_NAME]
        if at >= 0 and text_at(net, at) == name:
            return i
    for i in range(net.fused_words // 2):
        if text_at(net, w[net.fused_at + 2 * i]) == name:
            from .errors import RecycledError

            raise RecycledError(
                "blob %r was fused into its successor %r when the model was converted: ask for that one, or convert "
                "with --no-fuse" % (name, net.name(w[net.fused_at + 2 * i + 1]))
            )
    raise KeyError("no blob is called %r; near: %s" % (name, ", ".join(near(net, name)) or "none"))


def near(net, name, most=3):
    """Up to `most` names of blobs that look like `name`, best first."""
    scored = []
    for i in range(net.n_blobs):
        other = net.name(i)
        if isinstance(other, str):
            scored.append((_likeness(name, other), -i, other))
    scored.sort()
    scored.reverse()
    return [other for score, _, other in scored[:most] if score > 0]


def _likeness(a, b):
    """Common prefix and suffix, and a bonus where one holds the other; 0 for nothing in common."""
    a, b = a.lower(), b.lower()
    score = len(a) + len(b) if a and b and (a in b or b in a) else 0
    n = min(len(a), len(b))
    i = 0
    while i < n and a[i] == b[i]:
        i += 1
    j = 0
    while j < n - i and a[-1 - j] == b[-1 - j]:
        j += 1
    return score + i + j
