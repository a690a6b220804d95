"""What can keep a survey from being sorted."""

from protozoo.exceptions import ProtoZooError


class SortingError(ProtoZooError):
    """The sorting cannot be made or run."""

    code = "sorting"


class SortingBusyError(ProtoZooError):
    """A worker does, or will do, the same sorting."""

    code = "sorting_busy"
    status = 409
