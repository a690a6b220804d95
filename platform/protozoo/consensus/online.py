"""Lets each vote change what is believed at once; the next run does it again, with all the rest.

A vote touches its volunteer and what it shows: a prototype, a subject, or the members of a grid.
Their beliefs lie in rows of their own, so that a web process reads and writes a handful of them.
What is sure by then retires, and what has become less doubtful loses priority. When a volunteer
changes an answer, what the former one has added is taken back first. Two votes on one subject in
different items at the same moment may count as one until the next run.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Final

import numpy as np
from django.db import models
from numpy.typing import NDArray

from protozoo.consensus.asking import LEAST_VOTES, plan_of
from protozoo.consensus.ballots import Ballots, Places
from protozoo.consensus.models import (
    ConsensusRun,
    ItemBelief,
    SubjectPosterior,
    VolunteerBelief,
)
from protozoo.voting.models import Campaign, GridMember, Item, Vote
from protozoo.voting.services import items_prioritize, items_retire
from skysort.consensus.evidence import entropy_bits
from skysort.consensus.judgments import Judgments
from skysort.consensus.merge import PROTOTYPE, SUBJECT, MergeResult, MergeSettings
from skysort.consensus.online import (
    ItemState,
    OnlineCrowd,
    OnlineRows,
    Step,
    VolunteerState,
    add_judgments,
    add_vote,
    guess_judgments,
    guess_vote,
    start_online,
    step_between,
    take_back,
)

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# Rows that are written in one transaction.
BATCH_SIZE: Final = 1000
# Of so many of a volunteer's newest votes is kept what they have added: answers are changed soon or
# never. For an older one it is guessed.
KEPT_STEPS: Final = 12
# Logarithm of the probability of a class that a subject cannot have.
IMPOSSIBLE: Final = float(np.log(np.finfo(float).tiny))
# The audit sample teaches nothing, and gold subjects are known.
ASIDE: Final = (Item.Kind.AUDIT, Item.Kind.GOLD)


# After a run --------------------------------------------------------------------------------
def beliefs_write(
    run: ConsensusRun,
    ballots: Ballots,
    places: Places,
    result: MergeResult,
    settings: MergeSettings,
) -> None:
    """Write down where the votes that come now begin."""
    subjects = _subjects_with_evidence(ballots, places)
    rows = _online_rows(ballots, places, result, settings, subjects)
    run.online = {
        "crowd": rows.crowd.as_json(),
        "answers": ballots.votes.answers,
        "classes": ballots.votes.classes,
        "subject_classes": result.subject_classes,
        "sure": plan_of(run.campaign).sure,
    }
    for beliefs in (
        _item_beliefs(run, rows, places, subjects),
        _volunteer_beliefs(run, rows, ballots),
    ):
        while batch := list(islice(beliefs, BATCH_SIZE)):
            _create(batch)


def _create(batch: list[Any]) -> None:
    type(batch[0]).objects.bulk_create(batch)


def _subjects_with_evidence(ballots: Ballots, places: Places) -> IntArray:
    """Give the subjects (M,) with votes or a known class; the audit sample stays apart."""
    votes = ballots.votes
    shown = votes.item_subject[votes.item]
    known = np.array(list(votes.known), dtype=np.int64)
    found = np.unique(np.concatenate([shown[shown >= 0], votes.grids.subject, known]))
    kept: IntArray = found[~places.is_audit[found]]
    return kept


def _online_rows(
    ballots: Ballots,
    places: Places,
    result: MergeResult,
    settings: MergeSettings,
    subjects: IntArray,
) -> OnlineRows:
    """Put prototypes first, then the subjects with evidence."""
    votes, n_cells = ballots.votes, places.cells.n_cells
    cell, subject = votes.item_cell[votes.item], votes.item_subject[votes.item]
    kept = (cell >= 0) | np.isin(subject, subjects)
    thing = np.where(cell >= 0, cell, n_cells + np.searchsorted(subjects, subject))[kept]
    grids = votes.grids
    judged = np.isin(grids.subject, subjects)
    pure = [votes.classes.index(name) for name in result.subject_classes]
    known = [votes.known.get(int(n), -1) for n in subjects]
    believed = np.concatenate(
        [
            result.cell_probabilities,
            _spread(result.subject_probabilities[subjects], pure, len(votes.classes)),
        ]
    )
    expected = np.full_like(believed, np.nan)
    expected[n_cells:] = _spread(_machine(result, subjects), pure, len(votes.classes))
    return start_online(
        replace(result.fit, item_probabilities=believed),
        thing,
        votes.worker[kept],
        votes.answer[kept],
        item_group=np.where(np.arange(len(believed)) < n_cells, PROTOTYPE, SUBJECT),
        item_prior=expected,
        known=np.concatenate([np.full(n_cells, -1), known]).astype(np.int64),
        judgments=Judgments(
            n_cells + np.searchsorted(subjects, grids.subject[judged]),
            grids.worker[judged],
            grids.label[judged],
            grids.ticked[judged],
        ),
        worker_strength=settings.worker_strength,
        transfer=settings.transfer,
    )


def _machine(result: MergeResult, subjects: IntArray) -> FloatArray:
    """Take a run's own evidence out of its calibrated beliefs again."""
    log = np.log(np.maximum(result.subject_probabilities[subjects], np.finfo(float).tiny))
    log -= result.own_log_likelihood[subjects]
    weight: FloatArray = np.exp(log - log.max(axis=1, keepdims=True))
    weight /= weight.sum(axis=1, keepdims=True)
    return weight


def _spread(probabilities: FloatArray, pure: Sequence[int], n_classes: int) -> FloatArray:
    """Put the classes of subjects among those of prototypes."""
    spread = np.zeros((len(probabilities), n_classes))
    spread[:, list(pure)] = probabilities
    return spread


def _item_beliefs(
    run: ConsensusRun, rows: OnlineRows, places: Places, subjects: IntArray
) -> Iterator[models.Model]:
    for number, key in enumerate(places.prototypes.tolist()):
        yield ItemBelief(run=run, prototype_id=key, state=rows.item(number).as_json())
    for number, key in enumerate(places.subjects[subjects].tolist(), start=len(places.prototypes)):
        yield ItemBelief(run=run, subject_id=key, state=rows.item(number).as_json())


def _volunteer_beliefs(
    run: ConsensusRun, rows: OnlineRows, ballots: Ballots
) -> Iterator[models.Model]:
    for number, key in enumerate(ballots.volunteers.tolist()):
        state = rows.volunteer(number)
        if state.answers.any() or state.judged.any():
            yield VolunteerBelief(run=run, volunteer_id=key, state=state.as_json())


# With each vote -----------------------------------------------------------------------------
@dataclass(frozen=True)
class _Believer:
    """What one vote changes: the volunteer, and what was shown."""

    run: ConsensusRun
    crowd: OnlineCrowd
    volunteer: VolunteerState
    steps: dict[int, Step]
    prototype: int | None
    subjects: list[int]
    items: list[ItemState]


def vote_believe(*, vote: Vote) -> None:
    """Let a new vote change beliefs, priorities and retirement."""
    if vote.item.kind == Item.Kind.AUDIT:
        return
    run = _run(vote.item.campaign)
    if run is not None:
        _believe(run, vote, former=vote.supersedes)


def newest_vote_id(campaign: Campaign) -> int:
    newest = Vote.objects.filter(item__campaign=campaign).aggregate(newest=models.Max("pk"))
    return newest["newest"] or 0


def votes_replay(run: ConsensusRun, *, until: int) -> None:
    """Let the votes count that came while a run was made, up to the one with this key."""
    missed = Vote.objects.filter(
        item__campaign=run.campaign_id, pk__gt=run.last_vote_id, pk__lte=until
    )
    missed = missed.filter(superseded_at=None).exclude(item__kind=Item.Kind.AUDIT)
    for vote in missed.select_related("item__campaign", "supersedes").order_by("pk"):
        _believe(run, vote, former=_former_in_run(run, vote))


def _former_in_run(run: ConsensusRun, vote: Vote) -> Vote | None:
    """Find the vote that the run has counted, past those that were changed while it was made."""
    former = vote.supersedes
    while former is not None and former.pk > run.last_vote_id:
        former = former.supersedes
    return former


def _run(campaign: Campaign) -> ConsensusRun | None:
    run = campaign.consensus_runs.only("online", "campaign").first()
    return run if run is not None and run.online else None


def _believe(run: ConsensusRun, vote: Vote, *, former: Vote | None) -> None:
    """Let a vote count, in place of a former one if there is one."""
    believer = _believer(run, vote)
    before = _certainties(believer)
    without = None if former is None else _without(believer, former)
    after = _after(without or believer, vote) or without
    if after is None:
        return
    _write(after, vote)
    if vote.item.kind not in ASIDE:
        _settle(after, vote.item, before)


def _believer(run: ConsensusRun, vote: Vote) -> _Believer:
    crowd = OnlineCrowd.from_json(run.online["crowd"])
    item = vote.item
    subjects = [item.subject_id] if item.subject_id else _members(item)
    prototype = item.prototype_id if item.kind == Item.Kind.PROTOTYPE else None
    items = _item_states(run, crowd, prototype, subjects)
    volunteer, steps = _volunteer_state(run, crowd, vote)
    return _Believer(run, crowd, volunteer, steps, prototype, subjects, items)


def _members(item: Item) -> list[int]:
    if item.kind != Item.Kind.GRID:
        return []
    members = GridMember.objects.filter(item=item).order_by("place")
    return list(members.values_list("subject_id", flat=True))


def _volunteer_state(
    run: ConsensusRun, crowd: OnlineCrowd, vote: Vote
) -> tuple[VolunteerState, dict[int, Step]]:
    found = run.volunteer_beliefs.filter(volunteer=vote.volunteer_id).first()
    if found is None:
        return VolunteerState(np.zeros_like(crowd.confusion), *np.zeros((3, 2))), {}
    steps = {step["vote"]: Step.from_json(step["added"]) for step in found.steps}
    return VolunteerState.from_json(found.state), steps


def _item_states(
    run: ConsensusRun, crowd: OnlineCrowd, prototype: int | None, subjects: list[int]
) -> list[ItemState]:
    if prototype is not None:
        known = run.item_beliefs.filter(prototype=prototype).first()
        if known is not None:
            return [ItemState.from_json(known.state)]
        log_prior = np.log(np.maximum(crowd.class_prior[PROTOTYPE], np.finfo(float).tiny))
        return [_nobody_spoke(crowd, PROTOTYPE, log_prior)]
    found = dict(run.item_beliefs.filter(subject__in=subjects).values_list("subject_id", "state"))
    new = _first_states(run, crowd, [key for key in subjects if key not in found])
    return [new[key] if key in new else ItemState.from_json(found[key]) for key in subjects]


def _first_states(
    run: ConsensusRun, crowd: OnlineCrowd, subjects: list[int]
) -> dict[int, ItemState]:
    """Begin with what the run believes of subjects that nobody had voted on."""
    if not subjects:
        return {}
    rows = SubjectPosterior.objects.filter(run=run, subject__in=subjects)
    classes, pure = run.online["classes"], run.online["subject_classes"]
    found = {}
    for key, probabilities in rows.values_list("subject_id", "probabilities"):
        log_prior = np.full(len(classes), IMPOSSIBLE)
        places = [classes.index(name) for name in pure]
        log_prior[places] = np.log(np.maximum(probabilities, np.finfo(float).tiny))
        found[key] = _nobody_spoke(crowd, SUBJECT, log_prior)
    return found


def _nobody_spoke(crowd: OnlineCrowd, kind: int, log_prior: FloatArray) -> ItemState:
    none, nothing = np.zeros(len(log_prior)), np.array(0.0)
    return ItemState(
        log_prior=log_prior,
        votes=none,
        judgments=none,
        vote_amount=nothing,
        judgment_amount=nothing,
        correlation=crowd.correlation[kind],
        judgment_correlation=crowd.judgment_correlation,
    )


def _without(believer: _Believer, former: Vote) -> _Believer | None:
    """Take a former vote back; None if it never counted, for the run knows no such answer."""
    step = believer.steps.get(former.pk) or _step_guessed(believer, former)
    if step is None:
        return None
    items, volunteer = take_back(believer.items, believer.volunteer, step)
    steps = {key: kept for key, kept in believer.steps.items() if key != former.pk}
    return replace(believer, items=items, volunteer=volunteer, steps=steps)


def _step_guessed(believer: _Believer, former: Vote) -> Step | None:
    said = _said(believer, former)
    if said is None:
        return None
    crowd, volunteer = believer.crowd, believer.volunteer
    if isinstance(said, _Ticks):
        return guess_judgments(
            crowd, believer.items, volunteer, label=said.label, ticked=said.ticked
        )
    return guess_vote(crowd, believer.items[0], volunteer, kind=said.kind, answer=said.answer)


def _after(believer: _Believer, vote: Vote) -> _Believer | None:
    """Add the vote; None if the run knows no such answer."""
    said = _said(believer, vote)
    if said is None:
        return None
    crowd, volunteer = believer.crowd, believer.volunteer
    if isinstance(said, _Ticks):
        items, volunteer = add_judgments(
            crowd, believer.items, volunteer, label=said.label, ticked=said.ticked
        )
    else:
        voted, volunteer = add_vote(
            crowd, believer.items[0], volunteer, kind=said.kind, answer=said.answer
        )
        items = [voted]
    step = step_between(believer.items, believer.volunteer, items, volunteer)
    steps = {**believer.steps, vote.pk: step}
    return replace(believer, items=items, volunteer=volunteer, steps=steps)


@dataclass(frozen=True)
class _Ticks:
    """What was said of a grid: the class that it named, and for each member, whether it is not."""

    label: int
    ticked: list[bool]


@dataclass(frozen=True)
class _Word:
    """What was said of a prototype or a subject, as places among kinds and answers."""

    kind: int
    answer: int


def _said(believer: _Believer, vote: Vote) -> _Ticks | _Word | None:
    """Put a vote into the run's terms; None if it knows no such answer."""
    online, item = believer.run.online, vote.item
    if vote.ticked is not None:
        if vote.answer != Vote.Verdict.SORTED or item.label not in online["classes"]:
            return None
        ticked = [key in vote.ticked for key in believer.subjects]
        return _Ticks(online["classes"].index(item.label), ticked)
    if vote.answer not in online["answers"]:
        return None
    kind = PROTOTYPE if believer.prototype is not None else SUBJECT
    return _Word(kind, online["answers"].index(vote.answer))


def _write(believer: _Believer, vote: Vote) -> None:
    VolunteerBelief.objects.bulk_create(
        [
            VolunteerBelief(
                run=believer.run,
                volunteer_id=vote.volunteer_id,
                state=believer.volunteer.as_json(),
                steps=[
                    {"vote": key, "added": step.as_json()}
                    for key, step in list(believer.steps.items())[-KEPT_STEPS:]
                ],
            )
        ],
        update_conflicts=True,
        unique_fields=["run", "volunteer"],
        update_fields=["state", "steps"],
    )
    keys = (
        [{"prototype_id": believer.prototype}]
        if believer.prototype is not None
        else [{"subject_id": key} for key in believer.subjects]
    )
    beliefs = [
        ItemBelief(run=believer.run, state=state.as_json(), **key)
        for key, state in zip(keys, believer.items, strict=True)
    ]
    ItemBelief.objects.bulk_create(
        # In one order, lest votes on two grids with the same members wait for each other.
        sorted(beliefs, key=lambda belief: belief.subject_id or 0),
        update_conflicts=True,
        unique_fields=["run", "prototype" if believer.prototype is not None else "subject"],
        update_fields=["state"],
    )


def _certainties(believer: _Believer) -> list[FloatArray]:
    return [item.probabilities for item in believer.items]


def _settle(believer: _Believer, item: Item, before: list[FloatArray]) -> None:
    """Retire what is sure by now, and ask less urgently what is less doubtful."""
    after, sure = _certainties(believer), believer.run.online["sure"]
    certain = [belief.max() >= sure for belief in after]
    if item.kind == Item.Kind.GRID:
        settled = [key for key, is_sure in zip(believer.subjects, certain, strict=True) if is_sure]
        alone = item.campaign.items.filter(kind=Item.Kind.SUBJECT, subject__in=settled)
        # Whoever votes on one of them just now waits for these beliefs, so nobody waits for them.
        free = alone.select_for_update(skip_locked=True, no_key=True)
        retired = list(free.filter(retired_at=None).values_list("pk", flat=True))
        items_retire(items=retired, because=Item.Retirement.POSTERIOR)
        return
    if item.retired_at is not None:
        return
    least = LEAST_VOTES if item.kind == Item.Kind.PROTOTYPE else 1
    if certain[0] and item.n_votes >= least:
        items_retire(items=[item.pk], because=Item.Retirement.POSTERIOR)
    elif item.priority:
        left = float(entropy_bits(after[0])) / max(float(entropy_bits(before[0])), 1e-9)
        items_prioritize(campaign=item.campaign, priorities={item.pk: item.priority * left})
