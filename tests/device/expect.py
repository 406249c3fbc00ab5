"""What the engine's tests share; runs on CPython and MicroPython."""

try:
    from unittest import SkipTest
except ImportError:

    class SkipTest(Exception):
        """Raised with the reason why a test cannot run here: it is then counted as skipped, by name."""


def raises(kind, call, *args, **named):
    """The text of the error that a call raises, which must be of `kind`."""
    try:
        call(*args, **named)
    except kind as error:
        return str(error)
    raise AssertionError("%s was not raised" % kind.__name__)


def values(blob):
    """The only value of a blob whose elements are all equal."""
    first = blob[0]
    for i in range(len(blob)):
        assert blob[i] == first
    return first


def given(value):
    """An input of 64 equal elements."""
    return [value] * 64


def start_thread(work, *arguments):
    """A new thread; SkipTest where the interpreter has none, or no more than it is already using."""
    try:
        import _thread
    except ImportError:
        raise SkipTest("this interpreter has no threads")
    try:
        _thread.start_new_thread(work, arguments)
    except OSError as error:
        raise SkipTest("no further thread can be started here: %s" % error)
