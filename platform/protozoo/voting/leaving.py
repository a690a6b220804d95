"""Lets volunteers leave: their votes stay, nobody's; all that is theirs alone goes, words too."""

from django.db import transaction

from protozoo.accounts.models import User, Volunteer
from protozoo.accounts.services import user_delete, volunteer_forget


@transaction.atomic
def volunteer_leave(*, volunteer: Volunteer) -> None:
    """Keep the votes for science, and forget whose they are and what was written beside them."""
    volunteer.leases.all().delete()
    volunteer.favourites.all().delete()
    volunteer.skips.all().delete()
    volunteer.votes.exclude(comment="").update(comment="")
    volunteer_forget(volunteer=volunteer)


@transaction.atomic
def account_leave(*, user: User) -> None:
    """Delete an account and forget whose its votes are."""
    volunteer = Volunteer.objects.filter(user=user).first()
    if volunteer is not None:
        volunteer_leave(volunteer=volunteer)
    user_delete(user=user)
