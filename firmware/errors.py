"""What goes wrong when firmware is built, told to the person who wanted it."""


class FirmwareError(Exception):
    """A build that could not be done; the message says why and what to do."""


class SourceUnavailable(FirmwareError):
    """A source that could not be had; another one may do."""
