"""Chooses what a volunteer sees next: mostly where an answer is worth most, partly by lot.

Each item handed out comes from a lane, drawn by the campaign's fixed shares. A lane that has
nothing left falls through to the next.
"""

import random
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.db.models.lookups import LessThan

from protozoo.accounts.models import Volunteer
from protozoo.voting.models import Campaign, GridMember, Item, Lease, Vote

# Items are drawn from so many at the head of a lane, lest all who come at once get the same.
QUEUE_HEAD: Final = 40
# Of so many items with the highest priority one is drawn, with weight by its priority.
N_BEST: Final = 20


class Lane(StrEnum):
    """Where an item comes from."""

    GOLD = "gold"
    AUDIT = "audit"
    CHANCE = "chance"
    BEST = "best"
    # Only when nothing else is left: what others are about to settle, and subjects seen before.
    FULL = "full"
    AGAIN = "again"


_REST: Final = (Lane.BEST, Lane.CHANCE, Lane.FULL)
_LANES_FROM: Final = {
    Lane.GOLD: (Lane.GOLD, Lane.AUDIT, *_REST),
    Lane.AUDIT: (Lane.AUDIT, *_REST),
    Lane.CHANCE: (Lane.CHANCE, *_REST),
    Lane.BEST: _REST,
}


@dataclass(frozen=True)
class Waiting:
    """An item that waits for an answer, and what it shows."""

    pk: int
    prototype: int | None
    priority: float | None
    subjects: frozenset[int]


@dataclass
class _Batch:
    """What is chosen for one request, and what the page holds already."""

    items: list[int] = field(default_factory=list)
    prototypes: set[int] = field(default_factory=set)
    subjects: set[int] = field(default_factory=set)

    def note(self, shown: Waiting) -> None:
        if shown.prototype is not None:
            self.prototypes.add(shown.prototype)
        self.subjects |= shown.subjects

    def add(self, chosen: Waiting) -> None:
        self.items.append(chosen.pk)
        self.note(chosen)

    def fitting(self, waiting: Iterable[Waiting], *, is_apart: bool) -> list[Waiting]:
        """Keep what shows no subject twice and, if it shall stand apart, no prototype twice."""
        return [
            one
            for one in waiting
            if one.pk not in self.items
            and self.subjects.isdisjoint(one.subjects)
            and not (is_apart and one.prototype in self.prototypes)
        ]


def items_choose(
    *,
    campaign: Campaign,
    volunteer: Volunteer,
    count: int,
    exclude: Collection[int],
    now: datetime,
) -> list[int]:
    """Choose items that this volunteer has never answered; fewer if fewer are left."""
    lanes = _Lanes(campaign, volunteer, exclude, max(QUEUE_HEAD, 2 * count), now)
    batch = _held(exclude)
    for lane in _lanes_drawn(campaign, count):
        if chosen := _choose(lanes, lane, batch):
            batch.add(chosen)
    return batch.items


def _lanes_drawn(campaign: Campaign, count: int) -> list[Lane]:
    shares = [campaign.share_gold, campaign.share_audit, campaign.share_chance]
    lanes = [Lane.GOLD, Lane.AUDIT, Lane.CHANCE, Lane.BEST]
    return random.choices(lanes, [*shares, 1 - sum(shares)], k=count)  # noqa: S311  # a queue


def _held(exclude: Collection[int]) -> _Batch:
    batch = _Batch()
    if exclude:
        for shown in _waiting(Item.objects.filter(pk__in=exclude)):
            batch.note(shown)
    return batch


def _choose(lanes: "_Lanes", drawn: Lane, batch: _Batch) -> Waiting | None:
    """Choose one item, of another prototype if there is one, of a new subject if there is one."""
    if not any(lanes.waiting(lane) for lane in _REST):
        # Gold items measure those who help; alone they help nobody.
        return next(iter(batch.fitting(lanes.waiting(Lane.AGAIN), is_apart=False)), None)
    for is_apart in (True, False):
        for lane in _LANES_FROM[drawn]:
            fitting = batch.fitting(lanes.waiting(lane), is_apart=is_apart)
            if not fitting and lane == Lane.BEST and is_apart:
                fitting = lanes.elsewhere(batch)
            if fitting:
                return _pick(fitting, lane)
    return None


def _pick(fitting: list[Waiting], lane: Lane) -> Waiting:
    if lane == Lane.BEST:
        best = [one for one in fitting if one.priority is not None][:N_BEST]
        if best:
            return random.choices(best, _weights(best))[0]  # noqa: S311  # a queue, not a secret
    return random.choice(fitting[:QUEUE_HEAD])  # noqa: S311


def _weights(best: list[Waiting]) -> list[float]:
    priorities = [one.priority or 0.0 for one in best]
    highest = max(priorities)
    return [each / highest for each in priorities] if highest else [1.0] * len(best)


# Reading the lanes --------------------------------------------------------------------------
class _Lanes:
    """The heads of one volunteer's lanes; each is read when it is first needed.

    What depends on the volunteer is asked in subqueries that an index answers for one item, so
    that the database walks along an index of open items and stops at the first that fit.
    """

    def __init__(
        self,
        campaign: Campaign,
        volunteer: Volunteer,
        exclude: Collection[int],
        n_items: int,
        now: datetime,
    ) -> None:
        self._n_items = n_items
        self._known: dict[Lane, list[Waiting]] = {}
        self._elsewhere: list[Waiting] = []
        self._is_all_read = False
        self._judged = _judged(campaign, volunteer)
        judged_members = GridMember.objects.filter(self._judged, item=OuterRef("pk"))
        answered = Vote.objects.filter(item=OuterRef("pk"), volunteer=volunteer)
        self._unanswered = campaign.items.filter(
            ~Exists(answered),
            ~Q(kind=Item.Kind.GRID) | ~Exists(judged_members),
            ~Q(pk__in=exclude),
            retired_at=None,
        )
        self._is_free = LessThan(F("n_votes") + _n_leases(volunteer, now), _needed(campaign))

    def waiting(self, lane: Lane) -> list[Waiting]:
        if lane not in self._known:
            self._known[lane] = self._read(lane)
        return self._known[lane]

    def _read(self, lane: Lane) -> list[Waiting]:
        match lane:
            case Lane.GOLD:
                return self._by_lot(self._unanswered.filter(~self._judged, kind=Item.Kind.GOLD))
            case Lane.AUDIT:
                return self._first(self._free(kind=Item.Kind.AUDIT))
            case Lane.CHANCE:
                return self._by_lot(self._free(~Q(kind=Item.Kind.GOLD)))
            case Lane.BEST:
                return self._best()
            case Lane.FULL:
                full = self._unanswered.filter(~self._judged, ~Q(self._is_free))
                return self._first(full.exclude(kind=Item.Kind.GOLD))
            case Lane.AGAIN:
                again = self._unanswered.filter(self._judged)
                return self._first(again.exclude(kind=Item.Kind.GOLD))

    def _free(self, *conditions: Q, **fields: object) -> QuerySet[Item]:
        """Keep subjects that are new to the volunteer, and items that others leave votes for."""
        return self._unanswered.filter(*conditions, ~self._judged, self._is_free, **fields)

    def elsewhere(self, batch: _Batch) -> list[Waiting]:
        """Find what shows other prototypes, however many items of the same ones come before."""
        fitting = batch.fitting(self._elsewhere, is_apart=True)
        if fitting or not batch.prototypes or self._is_all_read:
            return fitting
        self._elsewhere = self._best(apart_from=batch.prototypes)
        self._is_all_read = len(self._elsewhere) < self._n_items
        return batch.fitting(self._elsewhere, is_apart=True)

    def _best(self, *, apart_from: Collection[int] = ()) -> list[Waiting]:
        """Give what is asked for, the highest priority first, then what nobody asks for."""
        items = self._free(~Q(kind__in=[Item.Kind.AUDIT, Item.Kind.GOLD]))
        if apart_from:
            items = items.exclude(prototype__in=apart_from)
        asked = items.filter(priority__isnull=False).order_by("-priority", "order")
        found = _waiting(asked[: self._n_items])
        if len(found) < self._n_items:
            found += self._first(items.filter(priority=None))
        return found

    def _first(self, items: QuerySet[Item]) -> list[Waiting]:
        return _waiting(items.order_by("order", "pk")[: self._n_items])

    def _by_lot(self, items: QuerySet[Item]) -> list[Waiting]:
        """Begin anywhere in the random order, and go round if it ends too soon."""
        start = random.random()  # noqa: S311  # a queue, not a secret
        found = self._first(items.filter(order__gte=start))
        return (
            found
            if len(found) == self._n_items
            else found + self._first(items.filter(order__lt=start))
        )


def _judged(campaign: Campaign, volunteer: Volunteer) -> Q:
    """Say of a row with a subject whether the volunteer has judged it, alone or in a grid."""
    of_volunteer = Vote.objects.filter(volunteer=volunteer)
    alone = Item.objects.filter(
        Exists(of_volunteer.filter(item=OuterRef("pk"))),
        subject=OuterRef("subject"),
        campaign=campaign,
    )
    in_grid = GridMember.objects.filter(
        Exists(of_volunteer.filter(item=OuterRef("item"))),
        subject=OuterRef("subject"),
        item__campaign=campaign,
    )
    return Q(Exists(alone)) | Q(Exists(in_grid))


def _n_leases(volunteer: Volunteer, now: datetime) -> Coalesce:
    """Count the others who have an item in front of them."""
    leases = Lease.objects.filter(item=OuterRef("pk"), expires_at__gt=now)
    counted = leases.exclude(volunteer=volunteer).order_by().values("item").annotate(n=Count("pk"))
    return Coalesce(Subquery(counted.values("n")), Value(0))


def _needed(campaign: Campaign) -> Case:
    """Give the votes with which an item retires at the latest."""
    return Case(
        When(kind=Item.Kind.GRID, then=Value(campaign.votes_at_most(Item.Kind.GRID))),
        default=Value(campaign.votes_at_most(Item.Kind.PROTOTYPE)),
        output_field=IntegerField(),
    )


def _waiting(items: QuerySet[Item]) -> list[Waiting]:
    rows = list(items.values_list("pk", "kind", "prototype_id", "subject_id", "priority"))
    grids = [row[0] for row in rows if row[1] == Item.Kind.GRID]
    members: dict[int, set[int]] = defaultdict(set)
    if grids:
        shown = GridMember.objects.filter(item__in=grids).order_by()
        for grid, subject in shown.values_list("item_id", "subject_id"):
            members[grid].add(subject)
    return [
        Waiting(pk, prototype, priority, frozenset(members[pk] if subject is None else [subject]))
        for pk, _, prototype, subject, priority in rows
    ]
