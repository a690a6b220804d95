"""Asks next where an answer is worth most, and no more where nothing is left to learn.

After each merge the expected gains become priorities of items: of prototypes, which are items
already, and of the best grids and subjects, which become items. Nothing that has retired is asked
again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from protozoo.consensus.ballots import Ballots, Places
from protozoo.consensus.models import AskingPlan
from protozoo.voting.models import Campaign, Item
from protozoo.voting.proposals import (
    FEWEST_MEMBERS,
    GridProposal,
    ItemProposal,
    SubjectProposal,
)
from protozoo.voting.services import items_add, items_prioritize, items_retire
from skysort.consensus.merge import MergeResult
from skysort.consensus.next_question import (
    USUAL_SECONDS,
    Question,
    QuestionSettings,
    questions,
)

# The times of so many answers are needed before their median is believed.
TIMED: Final = 20
# Nothing that people shall look at is settled by the machine and one person alone.
LEAST_VOTES: Final = 2
# Whose answers take as long as those to a single subject.
SINGLE: Final = (Item.Kind.SUBJECT, Item.Kind.OUTLIER, Item.Kind.AUDIT, Item.Kind.GOLD)


@dataclass(frozen=True)
class Asked:
    """What a round of asking has changed."""

    n_questions: int
    n_sure: int
    n_exhausted: int


@dataclass(frozen=True)
class _Open:
    """Items that still take answers."""

    key: int
    kind: str
    prototype: int | None
    subject: int | None
    n_votes: int


def plan_of(campaign: Campaign) -> AskingPlan:
    """Give the campaign's plan, or the usual one."""
    plan = AskingPlan.objects.filter(campaign=campaign).first()
    return plan or AskingPlan(campaign=campaign)


def questions_propose(
    *,
    campaign: Campaign,
    ballots: Ballots,
    places: Places,
    result: MergeResult,
) -> Asked:
    """Put the most valuable questions into the queue, and take out what is settled."""
    plan = plan_of(campaign)
    settings = QuestionSettings(
        seconds=seconds_of(ballots),
        least_in_grid=FEWEST_MEMBERS,
        sure=plan.sure,
        n_subjects=plan.n_questions,
    )
    closed = _is_closed(campaign, ballots, places)
    found = questions(
        result, places.cells, is_closed=closed, settings=settings, seed=ballots.last_vote_id
    )
    worth = [question for question in found if question.gain >= plan.least_gain]
    best = [question for question in worth if question.kind != "prototype"][: plan.n_questions]
    proposals = [_proposal(question, places, result) for question in best]
    asked = {item.pk for item in items_add(campaign=campaign, proposals=proposals)}
    waiting = _waiting(campaign)
    sure = _sure(waiting, ballots, places, result, plan.sure)
    exhausted = _exhausted(waiting, asked, worth, places) - sure
    items_retire(items=sure, because=Item.Retirement.POSTERIOR)
    items_retire(items=exhausted, because=Item.Retirement.GAIN)
    _prioritize(campaign, waiting, asked, worth, places)
    return Asked(len(best), len(sure), len(exhausted))


def seconds_of(ballots: Ballots) -> dict[str, float]:
    """Give the median time of an answer to each kind of question; the usual one until measured."""
    kinds: dict[str, Sequence[str]] = {
        "prototype": (Item.Kind.PROTOTYPE,),
        "grid": (Item.Kind.GRID,),
        "subject": SINGLE,
    }
    seconds = dict(USUAL_SECONDS)
    for kind, of_items in kinds.items():
        timed = [ballots.effort[each] for each in of_items if each in ballots.effort]
        n = sum(effort.n_votes for effort in timed)
        if n >= TIMED:
            seconds[kind] = sum(each.n_votes * each.median_seconds for each in timed) / n
    return {kind: max(value, 1.0) for kind, value in seconds.items()}


def _is_closed(campaign: Campaign, ballots: Ballots, places: Places) -> NDArray[np.bool_]:
    """Leave alone the audit sample, known subjects and those that were asked often enough."""
    closed = places.is_audit.copy()
    closed[list(ballots.votes.known)] = True
    retired = campaign.items.filter(retired_at__isnull=False, subject__isnull=False)
    asked = places.subjects_at(list(retired.values_list("subject_id", flat=True)))
    closed[asked[asked >= 0]] = True
    return closed


def _proposal(question: Question, places: Places, result: MergeResult) -> ItemProposal:
    subjects = [int(key) for key in places.subjects[question.subjects]]
    if question.kind == "subject":
        return SubjectProposal(subjects[0], question.gain)
    label = result.subject_classes[question.label]
    return GridProposal(int(places.shown_at[question.cell]), label, subjects, question.gain)


def _waiting(campaign: Campaign) -> list[_Open]:
    """Read the open items that may be settled: the audit sample and gold subjects never are."""
    aside = [Item.Kind.AUDIT, Item.Kind.GOLD]
    items = campaign.items.filter(retired_at=None).exclude(kind__in=aside).order_by("pk")
    fields = items.values_list("pk", "kind", "prototype_id", "subject_id", "n_votes")
    return [_Open(*row) for row in fields]


def _sure(
    waiting: Sequence[_Open], ballots: Ballots, places: Places, result: MergeResult, limit: float
) -> set[int]:
    """Find what people have looked at and the merge is sure of."""
    certainty = result.subject_probabilities.max(axis=1)
    by_item = dict(
        zip(ballots.items.tolist(), result.item_probabilities.max(axis=1).tolist(), strict=True)
    )
    subjects = places.subjects_at([one.subject or 0 for one in waiting])
    found = set()
    for one, subject in zip(waiting, subjects.tolist(), strict=True):
        if one.kind == Item.Kind.PROTOTYPE:
            is_sure = one.n_votes >= LEAST_VOTES and by_item.get(one.key, 0.0) >= limit
        elif one.kind == Item.Kind.OUTLIER:
            is_sure = one.n_votes >= 1 and certainty[subject] >= limit
        else:
            is_sure = one.kind == Item.Kind.SUBJECT and certainty[subject] >= limit
        if is_sure:
            found.add(one.key)
    return found


def _exhausted(
    waiting: Sequence[_Open], asked: set[int], worth: Iterable[Question], places: Places
) -> set[int]:
    """Find prototypes whose members would gain nothing, and grids that better ones replace."""
    gains = _prototype_gains(worth, places)
    return {
        one.key
        for one in waiting
        if (one.kind == Item.Kind.GRID and one.key not in asked)
        or (
            one.kind == Item.Kind.PROTOTYPE
            and one.n_votes >= LEAST_VOTES
            and one.prototype not in gains
        )
    }


def _prototype_gains(worth: Iterable[Question], places: Places) -> Mapping[int, float]:
    return {
        int(places.prototypes[question.cell]): question.gain
        for question in worth
        if question.kind == "prototype"
    }


def _prioritize(
    campaign: Campaign,
    waiting: Sequence[_Open],
    asked: set[int],
    worth: Iterable[Question],
    places: Places,
) -> None:
    """Rank prototypes by their gains; subjects that others have overtaken come last."""
    gains = _prototype_gains(worth, places)
    priorities: dict[int, float | None] = {}
    for one in waiting:
        if one.kind == Item.Kind.PROTOTYPE:
            priorities[one.key] = gains.get(one.prototype or 0, 0.0)
        elif one.kind == Item.Kind.SUBJECT and one.key not in asked:
            priorities[one.key] = 0.0
    items_prioritize(campaign=campaign, priorities=priorities)
