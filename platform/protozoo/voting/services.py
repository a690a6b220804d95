"""Opens campaigns, hands out items and takes votes."""

from protozoo.accounts.models import Volunteer


def votes_move(*, giver: Volunteer, taker: Volunteer) -> int:
    """Hand one volunteer's votes to another."""
    raise NotImplementedError
