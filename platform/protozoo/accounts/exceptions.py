"""What accounts refuse, in words for the person who sees it."""

from protozoo.exceptions import ProtoZooError


class LastSuperuserError(ProtoZooError):
    """Nobody could run the site any more."""

    code = "last_superuser"
    status = 409


class CreditError(ProtoZooError):
    """A name that cannot stand in the credits."""

    code = "credit_invalid"
