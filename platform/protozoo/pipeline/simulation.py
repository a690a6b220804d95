"""Lets volunteers that are marked as simulated vote in a campaign whose truth is known."""

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from protozoo.accounts.models import Volunteer
from protozoo.jobs.services import Report, silent
from protozoo.sorting.models import Assignment
from protozoo.voting.models import Campaign, Item, Question
from protozoo.voting.selectors import question_newest
from protozoo.voting.services import vote_record
from protozoo.voting.trees import tree_classes, tree_path
from skysort.consensus.simulation import Crowd, simulate_crowd

# Votes that a left item still needs: a person alone cannot settle it, two can.
LEFT_TO_PEOPLE: Final = 2
# Names the volunteers and votes of simulations, so that a second run meets its own first votes.
NAMESPACE: Final = uuid.UUID("3d7c1f0e-98c4-4a0e-9a5c-0b2d1b7a6f10")


@dataclass(frozen=True)
class SimulatedCrowd:
    """How many volunteers to invent, how good they are, and what they leave to others.

    A share `leave_open` of the items gets two votes less than it needs, for people to settle.
    """

    n_volunteers: int = 60
    skill: float = 0.8
    spammers: float = 0.05
    seed: int = 1
    leave_open: float = 0.0


def campaign_simulate(
    *,
    campaign: Campaign,
    truth: Mapping[int, str],
    crowd: SimulatedCrowd | None = None,
    report: Report = silent,
) -> int:
    """Vote as far as the plan says; `truth` maps subjects to classes. Gives the new votes.

    Grids are left to people: simulated volunteers follow the question tree.
    """
    plan = crowd or SimulatedCrowd()
    question = question_newest(campaign)
    classes = tree_classes(question.tree)
    people = simulate_crowd(
        plan.n_volunteers,
        classes,
        skill=plan.skill,
        spammers=plan.spammers,
        unsure="unknown",
        seed=plan.seed,
    )
    volunteers = _volunteers(campaign, plan)
    items = list(campaign.items.exclude(kind=Item.Kind.GRID).order_by("pk"))
    shown = _shares(campaign, items, truth, classes)
    n_new = 0
    for number, item in enumerate(items):
        if item.retired_at is None:
            rng = np.random.default_rng([plan.seed, number])
            answers = _answers(item, shown, people, plan, rng)
            n_new += _vote_on(item, answers, volunteers, question)
        report(number + 1, len(items), f"{n_new} simulated votes")
    return n_new


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


def _shares(
    campaign: Campaign, items: list[Item], truth: Mapping[int, str], classes: list[str]
) -> dict[int, NDArray[np.float64]]:
    """Give the shares of the classes among the subjects that each item shows."""
    place = {name: index for index, name in enumerate(classes)}
    members: dict[int, NDArray[np.float64]] = {}
    assigned = Assignment.objects.filter(sorting=campaign.sorting)
    for subject, prototype in assigned.values_list("subject_id", "prototype_id"):
        counts = members.setdefault(prototype, np.zeros(len(classes)))
        counts[place[truth[subject]]] += 1
    shares = {}
    for item in items:
        if item.prototype_id is not None:
            counts = members[item.prototype_id]
            shares[item.pk] = counts / counts.sum()
        elif item.subject_id is not None:
            shares[item.pk] = np.eye(len(classes))[place[truth[item.subject_id]]]
    return shares


def _vote_on(
    item: Item,
    answers: Iterable[tuple[int, str, float]],
    volunteers: list[Volunteer],
    question: Question,
) -> int:
    n_new = 0
    for who, answer, seconds in answers:
        volunteer = volunteers[who]
        _, is_new = vote_record(
            volunteer=volunteer,
            item_id=item.pk,
            question_version=question.version,
            path=tree_path(question.tree, answer),
            client_uuid=uuid.uuid5(NAMESPACE, f"{item.pk} {volunteer.token}"),
            seconds=seconds,
            answered_at=timezone.now() - timedelta(seconds=1),
        )
        n_new += is_new
    return n_new


def _answers(
    item: Item,
    shown: Mapping[int, NDArray[np.float64]],
    people: Crowd,
    plan: SimulatedCrowd,
    rng: np.random.Generator,
) -> Iterator[tuple[int, str, float]]:
    n_votes = min(item.campaign.votes_to_retire, len(people.effort))
    if rng.random() < plan.leave_open:
        n_votes = max(1, n_votes - LEFT_TO_PEOPLE)
    who = rng.choice(len(people.effort), size=n_votes, replace=False, p=people.effort)
    shares = shown[item.pk]
    if item.kind == Item.Kind.PROTOTYPE:
        answers = people.answer_group(who, np.tile(shares, (n_votes, 1)), rng)
        seconds = people.seconds(who, "prototype", rng)
    else:
        answers = people.answer(who, int(shares.argmax()), rng)
        seconds = people.seconds(who, "subject", rng)
    for person, answer, took in zip(who, answers, seconds, strict=True):
        yield int(person), people.answers[int(answer)], float(took)
