"""Chooses what a volunteer sees next: mostly where an answer is worth most, partly by lot.

Each item handed out comes from a lane, drawn by the campaign's fixed shares. A lane that has
nothing left falls through to the next. The first few items of a volunteer are easy ones.
"""

import random
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
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
from protozoo.voting.models import Campaign, GridMember, Item, Lease, Skip, Vote
from protozoo.voting.proposals import chunks

# Items are drawn from so many at the head of a lane, lest all who come at once get the same.
QUEUE_HEAD: Final = 40
# Of so many items with the highest priority one is drawn, with weight by its priority.
N_BEST: Final = 20
# Whoever has answered fewer than so many is still learning. The first ones have a known answer, of
# which they are told; more of these would cost too many of the few answers that most people give.
N_EASY: Final = 5
N_EASY_GOLD: Final = 2
# Easy items are drawn from so many at the head of their lane, that they are of several kinds.
EASY_HEAD: Final = 10


class Lane(StrEnum):
    """Where an item comes from."""

    # For those who are still learning.
    EASY = "easy"
    GOLD = "gold"
    AUDIT = "audit"
    CHANCE = "chance"
    BEST = "best"
    # Only when nothing else is left: what others are about to settle, subjects judged before, and
    # what the volunteer has skipped.
    FULL = "full"
    AGAIN = "again"
    SKIPPED = "skipped"


_REST: Final = (Lane.BEST, Lane.CHANCE, Lane.FULL)
_FIRST_GOLD: Final = (Lane.GOLD, Lane.EASY, *_REST)
_FIRST: Final = (Lane.EASY, *_REST)
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
    wanted: int | None = None,
) -> list[int]:
    """Choose items that this volunteer has never answered; fewer if fewer are left."""
    lanes = _Lanes(campaign, volunteer, exclude, max(N_BEST, count), now)
    batch = _held(exclude)
    if wanted is not None:
        for one in lanes.wanted(wanted):
            batch.add(one)
    first = _first_lanes(campaign, volunteer, n_held=len(exclude))
    drawn = _lanes_drawn(campaign, count)
    for order in [*first, *drawn[len(first) :]][: count - len(batch.items)]:
        if chosen := _choose(lanes, order, batch):
            batch.add(chosen)
    return batch.items


def _lanes_drawn(campaign: Campaign, count: int) -> list[Sequence[Lane]]:
    """Draw for each item the lanes in which it is looked for, one after the other."""
    shares = [campaign.share_gold, campaign.share_audit, campaign.share_chance]
    weights = [*shares, 1 - sum(shares)]
    return random.choices(list(_LANES_FROM.values()), weights, k=count)  # noqa: S311  # a queue


def _first_lanes(campaign: Campaign, volunteer: Volunteer, *, n_held: int) -> list[Sequence[Lane]]:
    """Give the lanes of the easy items that are still due; simulated volunteers learn nothing."""
    if volunteer.is_simulated:
        return []
    votes = Vote.objects.filter(volunteer=volunteer, superseded_at=None, item__campaign=campaign)
    n_had = len(votes.order_by().values_list("pk")[:N_EASY]) + n_held
    return [_FIRST_GOLD if n < N_EASY_GOLD else _FIRST for n in range(n_had, N_EASY)]


def _held(exclude: Collection[int]) -> _Batch:
    batch = _Batch()
    if exclude:
        for shown in _waiting(Item.objects.filter(pk__in=exclude)):
            batch.note(shown)
    return batch


def _choose(lanes: "_Lanes", order: Sequence[Lane], batch: _Batch) -> Waiting | None:
    """Choose one item, of another prototype if there is one, of a new subject if there is one."""
    if not any(lanes.waiting(lane) for lane in _REST):
        # Gold items measure those who help; alone they help nobody.
        skipped = lanes.waiting(Lane.SKIPPED)
        left = [*lanes.waiting(Lane.AGAIN), *skipped]
        return next(iter(batch.fitting(left, is_apart=False)), None)
    for is_apart in (True, False):
        for lane in order:
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
    head = EASY_HEAD if lane == Lane.EASY else QUEUE_HEAD
    return random.choice(fitting[:head])  # noqa: S311


def _weights(best: list[Waiting]) -> list[float]:
    priorities = [one.priority or 0.0 for one in best]
    highest = max(priorities)
    return [each / highest for each in priorities] if highest else [1.0] * len(best)


# Reading the lanes --------------------------------------------------------------------------
class _Lanes:
    """The heads of one volunteer's lanes; each is read when it is first needed."""

    def __init__(
        self,
        campaign: Campaign,
        volunteer: Volunteer,
        exclude: Collection[int],
        n_enough: int,
        now: datetime,
    ) -> None:
        self._campaign, self._volunteer = campaign, volunteer
        self._n_enough = n_enough
        self._known: dict[Lane, list[Waiting]] = {}
        self._looked_up: set[int] = set()
        self._known_judged: set[int] = set()
        self._elsewhere: list[Waiting] = []
        self._is_all_read = False
        # The database walks along an index of open items and stops at the first that fit.
        answered = Vote.objects.filter(item=OuterRef("pk"), volunteer=volunteer)
        skips = Skip.objects.filter(item=OuterRef("pk"), volunteer=volunteer)
        self._unanswered = campaign.items.filter(
            ~Exists(answered), ~Q(pk__in=exclude), retired_at=None
        ).order_by("order", "pk")
        self._open = self._unanswered.filter(~Exists(skips))
        self._is_free = LessThan(F("n_votes") + _n_leases(volunteer, now), _needed(campaign))

    def wanted(self, item: int) -> list[Waiting]:
        """Give the item that the volunteer asks for, if it is new to them."""
        return self._new(self._unanswered.filter(pk=item))

    def waiting(self, lane: Lane) -> list[Waiting]:
        if lane not in self._known:
            self._known[lane] = self._waiting_in(lane)
        return self._known[lane]

    def _waiting_in(self, lane: Lane) -> list[Waiting]:
        no_gold = ~Q(kind=Item.Kind.GOLD)
        match lane:
            case Lane.EASY:
                return self._easy()
            case Lane.GOLD:
                return self._by_lot(self._open.filter(kind=Item.Kind.GOLD))
            case Lane.AUDIT:
                return self._new(self._open.filter(self._is_free, kind=Item.Kind.AUDIT))
            case Lane.CHANCE:
                return self._by_lot(self._open.filter(self._is_free, no_gold))
            case Lane.BEST:
                return self._best()
            case Lane.FULL:
                return self._new(self._open.filter(~Q(self._is_free), no_gold))
            case Lane.AGAIN:
                alone = self._put_off(is_judged=True).filter(~Q(kind=Item.Kind.GRID))
                return _waiting(alone[: 2 * self._n_enough])
            case Lane.SKIPPED:
                return self._new(self._put_off(is_judged=False))

    def _put_off(self, *, is_judged: bool) -> QuerySet[Item]:
        put_off = self._unanswered.filter(
            skips__volunteer=self._volunteer, skips__is_judged=is_judged
        )
        return put_off.exclude(kind=Item.Kind.GOLD)

    def _easy(self) -> list[Waiting]:
        """Give prototypes whose members are many and alike, the most alike first."""
        sorting = self._campaign.sorting
        items = self._open.filter(
            self._is_free,
            kind=Item.Kind.PROTOTYPE,
            prototype__n_members__gte=sorting.n_subjects // (sorting.rows * sorting.columns),
        )
        return self._new(items.order_by("prototype__mean_distance", "order"))

    def elsewhere(self, batch: _Batch) -> list[Waiting]:
        """Find what shows other prototypes, however many items of the same ones come before."""
        fitting = batch.fitting(self._elsewhere, is_apart=True)
        if fitting or not batch.prototypes or self._is_all_read:
            return fitting
        self._elsewhere = self._best(apart_from=batch.prototypes)
        self._is_all_read = not self._elsewhere
        return batch.fitting(self._elsewhere, is_apart=True)

    def _best(self, *, apart_from: Collection[int] = ()) -> list[Waiting]:
        """Give what is asked for, the highest priority first, then what nobody asks for."""
        aside = [Item.Kind.AUDIT, Item.Kind.GOLD]
        items = self._open.filter(self._is_free, ~Q(kind__in=aside))
        if apart_from:
            items = items.exclude(prototype__in=apart_from)
        asked = items.filter(priority__isnull=False).order_by("-priority", "order")
        found = self._new(asked)
        if len(found) < self._n_enough:
            found += self._new(items.filter(priority=None))
        return found

    def _by_lot(self, items: QuerySet[Item]) -> list[Waiting]:
        """Begin anywhere in the random order, and go round if it ends too soon."""
        start = random.random()  # noqa: S311  # a queue, not a secret
        found = self._new(items.filter(order__gte=start))
        if len(found) < self._n_enough:
            found += self._new(items.filter(order__lt=start))
        return found

    def _new(self, items: QuerySet[Item]) -> list[Waiting]:
        """Read on until enough are found that show nothing judged before.

        What shows something judged before is written down, so that the next request passes it by.
        """
        found: list[Waiting] = []
        passed: list[int] = []
        start, size = 0, 2 * self._n_enough
        while len(found) < self._n_enough:
            read = _waiting(items[start : start + size])
            judged = self._judged({subject for one in read for subject in one.subjects})
            found += [one for one in read if judged.isdisjoint(one.subjects)]
            passed += [one.pk for one in read if not judged.isdisjoint(one.subjects)]
            if len(read) < size:
                break
            start, size = start + size, 4 * size
        self._note_judged(sorted(passed))
        return found

    def _note_judged(self, items: Sequence[int]) -> None:
        if not items:
            return
        Skip.objects.bulk_create(
            (Skip(item_id=item, volunteer=self._volunteer, is_judged=True) for item in items),
            update_conflicts=True,
            unique_fields=["volunteer", "item"],
            update_fields=["is_judged"],
        )

    def _judged(self, subjects: set[int]) -> set[int]:
        """Find which subjects the volunteer has judged, alone or in a grid; ask once of each."""
        of_volunteer = Vote.objects.filter(volunteer=self._volunteer)
        alone = Item.objects.filter(Exists(of_volunteer.filter(item=OuterRef("pk")))).order_by()
        in_grid = GridMember.objects.filter(
            Exists(of_volunteer.filter(item=OuterRef("item")))
        ).order_by()
        for chunk in chunks(subjects - self._looked_up):
            # Campaigns are told apart here: a database that begins with them reads all items.
            found = [
                *alone.filter(subject__in=chunk).values_list("subject_id", "campaign_id"),
                *in_grid.filter(subject__in=chunk).values_list("subject_id", "item__campaign_id"),
            ]
            own = {key for key, campaign in found if key and campaign == self._campaign.pk}
            self._known_judged |= own
        self._looked_up |= subjects
        return self._known_judged


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
