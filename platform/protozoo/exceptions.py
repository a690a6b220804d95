"""The base of every failure that the site expects."""


class ProtoZooError(Exception):
    """A full sentence for the person who sees it, a code for programs, and an HTTP status."""

    code = "error"
    status = 400
