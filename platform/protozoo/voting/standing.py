"""Tells a volunteer what their answers have done so far."""

from dataclasses import dataclass

from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    F,
    OuterRef,
    Q,
    Subquery,
    Sum,
    Value,
    When,
)

from protozoo.accounts.models import Volunteer
from protozoo.voting.models import GridMember, Item, Vote


@dataclass(frozen=True)
class OwnStanding:
    """Answers that count, the pictures behind them, and the questions that rest by now."""

    n_answers: int
    n_pictures: int
    n_settled: int


def own_standing(volunteer: Volunteer | None) -> OwnStanding:
    """Count in one query, which takes 0.2 s for 100,000 answers.

    A picture counts as often as it was part of a question; gold subjects are known and do not.
    """
    if volunteer is None:
        return OwnStanding(0, 0, 0)
    votes = Vote.objects.filter(volunteer=volunteer, superseded_at=None).order_by()
    counted = votes.aggregate(
        n_answers=Count("pk"),
        n_settled=Count("item__retired_at", filter=~Q(item__kind=Item.Kind.GOLD)),
        n_pictures=Sum(_n_pictures()),
    )
    return OwnStanding(counted["n_answers"], counted["n_pictures"] or 0, counted["n_settled"])


def _n_pictures() -> Case:
    """Count what an item speaks for: all members of a prototype, those of a grid, or one."""
    places = GridMember.objects.filter(item=OuterRef("item")).order_by("-place").values("place")
    return Case(
        When(item__kind=Item.Kind.PROTOTYPE, then=F("item__prototype__n_members")),
        When(item__kind=Item.Kind.GRID, then=Subquery(places[:1])),
        When(item__kind=Item.Kind.GOLD, then=Value(0)),
        default=Value(1),
        output_field=BigIntegerField(),
    )
