"""What can go wrong with a user's input, said in one sentence."""


class SkysortError(Exception):
    """The base of every error that this package raises on purpose."""


class InputError(SkysortError, ValueError):
    """A file, row or argument breaks a rule; the message names it, the rule and what to do."""
