"""Lets volunteers that are marked as simulated answer a campaign whose truth is known.

They come by their effort and answer what the queue hands them: prototypes first, then the grids
and doubtful subjects that each merge asks for.
"""

import random
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from protozoo.accounts.models import Volunteer
from protozoo.consensus.asking import plan_of
from protozoo.consensus.services import consensus_run
from protozoo.jobs.services import Report, silent
from protozoo.sorting.models import Assignment
from protozoo.voting.models import Campaign, GridMember, Item, Question, Vote
from protozoo.voting.selectors import question_newest
from protozoo.voting.services import items_lease
from protozoo.voting.trees import tree_classes, tree_path
from protozoo.voting.votes import GridAnswer, vote_record
from skysort.consensus.simulation import Crowd, simulate_crowd

# Names the volunteers of simulations, so that a second run meets the same ones.
NAMESPACE: Final = uuid.UUID("3d7c1f0e-98c4-4a0e-9a5c-0b2d1b7a6f10")
# Items that a volunteer takes before the next one comes.
AT_ONCE: Final = 4
# So many volunteers in a row who find nothing to answer end the simulation.
PATIENCE: Final = 50


@dataclass(frozen=True)
class SimulatedCrowd:
    """How many volunteers to invent, how good they are, and how much they answer in all."""

    n_volunteers: int = 60
    skill: float = 0.8
    spammers: float = 0.05
    votes_per_subject: float = 1.0
    seed: int = 1


@dataclass(frozen=True)
class _Truth:
    """What subjects are, as places among the classes, and what prototypes are made of."""

    classes: list[str]
    of_subject: Mapping[int, int]
    of_prototype: Mapping[int, NDArray[np.float64]]


def campaign_simulate(
    *,
    campaign: Campaign,
    truth: Mapping[int, str],
    crowd: SimulatedCrowd | None = None,
    report: Report = silent,
) -> int:
    """Vote as far as the plan says, merging now and then; `truth` maps subjects to classes.

    What an earlier simulation has voted counts. Gives the new votes.
    """
    plan = crowd or SimulatedCrowd()
    question = question_newest(campaign)
    known = _truth(campaign, truth, tree_classes(question.tree))
    people = simulate_crowd(
        plan.n_volunteers,
        known.classes,
        skill=plan.skill,
        spammers=plan.spammers,
        unsure="unknown",
        seed=plan.seed,
    )
    volunteers = _volunteers(campaign, plan)
    total = round(plan.votes_per_subject * campaign.sorting.n_subjects)
    done = first = Vote.objects.filter(
        item__campaign=campaign, volunteer__in=volunteers, superseded_at=None
    ).count()
    rng = np.random.default_rng([plan.seed, first])
    idle = 0
    with _queue_repeated(plan.seed + first):
        while done < total and idle < PATIENCE:
            who = int(people.pick(1, rng)[0])
            items = items_lease(
                campaign=campaign, volunteer=volunteers[who], count=min(AT_ONCE, total - done)
            )
            idle = 0 if items else idle + 1
            for item in items:
                _vote(item, _answer(item, who, people, known, rng), volunteers[who], question)
                done += 1
                report(done, total, f"{done} simulated votes")
            if done < total and _is_merge_near(campaign):
                consensus_run(campaign=campaign)
    report(total, total, f"{done} simulated votes")
    return done - first


@contextmanager
def _queue_repeated(seed: int) -> Iterator[None]:
    """Let the queue draw the same lots each time; afterwards chance is chance again."""
    state = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(state)


def _is_merge_near(campaign: Campaign) -> bool:
    """Merge a little before the site would order it, which has no worker here."""
    run = campaign.consensus_runs.first()
    merged, last = (run.n_votes, run.last_vote_id) if run else (0, 0)
    new = Vote.objects.filter(item__campaign=campaign, pk__gt=last).count()
    return new + AT_ONCE >= plan_of(campaign).votes_until_refit(merged)


def _volunteers(campaign: Campaign, plan: SimulatedCrowd) -> list[Volunteer]:
    tokens = [
        uuid.uuid5(NAMESPACE, f"{campaign.pk} {plan.seed} {number}")
        for number in range(plan.n_volunteers)
    ]
    Volunteer.objects.bulk_create(
        (Volunteer(token=token, is_simulated=True) for token in tokens), ignore_conflicts=True
    )
    by_token = {found.token: found for found in Volunteer.objects.filter(token__in=tokens)}
    return [by_token[token] for token in tokens]


def _truth(campaign: Campaign, truth: Mapping[int, str], classes: list[str]) -> _Truth:
    place = {name: index for index, name in enumerate(classes)}
    of_subject = {subject: place[name] for subject, name in truth.items()}
    counts: dict[int, NDArray[np.float64]] = {}
    assigned = Assignment.objects.filter(sorting=campaign.sorting)
    for subject, prototype in assigned.values_list("subject_id", "prototype_id"):
        members = counts.setdefault(prototype, np.zeros(len(classes)))
        members[of_subject[subject]] += 1
    shares = {prototype: members / members.sum() for prototype, members in counts.items()}
    return _Truth(classes, of_subject, shares)


@dataclass(frozen=True)
class _Answer:
    """What a volunteer says, and how long it takes."""

    leaf: str
    grid: GridAnswer | None
    seconds: float


def _answer(
    item: Item, who: int, people: Crowd, known: _Truth, rng: np.random.Generator
) -> _Answer:
    if item.kind == Item.Kind.GRID:
        return _grid_answer(item, who, people, known, rng)
    if item.prototype_id is not None:
        answer = people.answer_group(who, known.of_prototype[item.prototype_id], rng)
        seconds = people.seconds(who, "prototype", rng)
    else:
        answer = people.answer(who, known.of_subject[item.subject_id or 0], rng)
        seconds = people.seconds(who, "subject", rng)
    return _Answer(people.answers[int(answer[0])], None, float(seconds[0]))


def _grid_answer(
    item: Item, who: int, people: Crowd, known: _Truth, rng: np.random.Generator
) -> _Answer:
    members = GridMember.objects.filter(item=item).values_list("subject_id", flat=True)
    truth = [known.of_subject[member] for member in members]
    ticks = people.answer_grid(who, truth, known.classes.index(item.label), rng)
    seconds = float(people.seconds(who, "grid", rng, n_members=len(truth))[0])
    if ticks is None:
        return _Answer("", GridAnswer(Vote.Verdict.TOO_MIXED), seconds)
    ticked = [member for member, is_other in zip(members, ticks, strict=True) if is_other]
    return _Answer("", GridAnswer(Vote.Verdict.SORTED, ticked), seconds)


def _vote(item: Item, answer: _Answer, volunteer: Volunteer, question: Question) -> None:
    vote_record(
        volunteer=volunteer,
        item_id=item.pk,
        question_version=question.version,
        path=[] if answer.grid else tree_path(question.tree, answer.leaf),
        grid=answer.grid,
        client_uuid=uuid.uuid5(NAMESPACE, f"{item.pk} {volunteer.token}"),
        seconds=answer.seconds,
        answered_at=timezone.now() - timedelta(seconds=1),
    )
