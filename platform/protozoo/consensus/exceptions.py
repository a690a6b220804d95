"""What can keep votes from being merged or labels from being reviewed."""

from protozoo.exceptions import ProtoZooError


class NothingToMergeError(ProtoZooError):
    """There are no votes yet."""

    code = "nothing_to_merge"
    status = 409


class ReviewError(ProtoZooError):
    """The decision cannot be taken."""

    code = "review"


class SplitError(ProtoZooError):
    """The prototype cannot be split."""

    code = "split"
    status = 409


class MergeBusyError(ProtoZooError):
    """Somebody merges the same votes."""

    code = "merge_busy"
    status = 409
