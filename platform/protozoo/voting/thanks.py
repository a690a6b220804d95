"""Finds the volunteers who want to be named, and what they have given."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Case, Count, Exists, F, OuterRef, QuerySet, When
from django.db.models.functions import Lower

from protozoo.accounts.models import Volunteer
from protozoo.voting.models import Campaign, Vote


@dataclass(frozen=True)
class Thanked:
    name: str
    n_answers: int


def volunteers_named(campaign: Campaign | None = None) -> QuerySet[Volunteer]:
    """Give, by the alphabet, people with an answer that counts who chose to be named."""
    votes = Vote.objects.filter(volunteer=OuterRef("pk"), superseded_at=None)
    if campaign is not None:
        votes = votes.filter(item__campaign=campaign)
    named = Volunteer.objects.exclude(credit=Volunteer.Credit.NONE).filter(is_simulated=False)
    shown = Case(When(credit=Volunteer.Credit.NAME, then=F("full_name")), default=F("nickname"))
    return named.filter(Exists(votes)).order_by(Lower(shown), "pk")


def thanked(volunteers: Iterable[Volunteer], campaign: Campaign | None = None) -> list[Thanked]:
    """Count the answers of the volunteers of one page."""
    listed = list(volunteers)
    votes = Vote.objects.filter(volunteer__in=listed, superseded_at=None).order_by()
    if campaign is not None:
        votes = votes.filter(item__campaign=campaign)
    counts = dict(votes.values_list("volunteer").annotate(n=Count("pk")))
    return [Thanked(each.credited_as, counts.get(each.pk, 0)) for each in listed]
