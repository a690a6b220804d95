"""What can keep a catalog from being frozen."""

from protozoo.exceptions import ProtoZooError


class NothingToReleaseError(ProtoZooError):
    """The campaign's votes were never merged."""

    code = "nothing_to_release"
    status = 409


class ReleaseError(ProtoZooError):
    """What was merged does not make a catalog."""

    code = "release"
    status = 409


class ReleaseBusyError(ProtoZooError):
    """Somebody else is freezing the same campaign at this moment."""

    code = "release_busy"
    status = 409


class ConeSearchError(ProtoZooError):
    """A cone search asks for what is no cone."""

    code = "cone"
