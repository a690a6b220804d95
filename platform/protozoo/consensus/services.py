"""Merges a campaign's votes with its sorting, and takes scientists' decisions."""

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from protozoo.accounts.models import User
from protozoo.consensus.exceptions import NothingToMergeError, ReviewError
from protozoo.consensus.models import (
    ConsensusRun,
    ItemPosterior,
    Review,
    SubjectPosterior,
    VolunteerPosterior,
)
from protozoo.jobs.services import Report, silent
from protozoo.sorting.models import Assignment, Prototype
from protozoo.subjects.models import Subject
from protozoo.voting.models import Campaign, Item, Question, Vote
from protozoo.voting.selectors import question_newest
from protozoo.voting.trees import MIXED, Answer, tree_classes, tree_leaves
from skysort import __version__
from skysort.consensus.accuracy import wilson_interval
from skysort.consensus.evidence import SOURCES
from skysort.consensus.merge import (
    ITEM_KINDS,
    MODEL,
    CellTable,
    MergeResult,
    MergeSettings,
    VoteTable,
    merge,
)

BATCH_SIZE: Final = 2000
# An audit item with fewer votes than this says too little about the truth.
AUDIT_VOTES: Final = 3


@dataclass(frozen=True)
class _Ballots:
    """The votes of a campaign as arrays, and which rows of the database their indices mean."""

    votes: VoteTable
    items: list[Item]
    volunteers: list[int]
    seconds: float
    last_vote_id: int


@dataclass(frozen=True)
class _Places:
    """Every subject's place on the map as arrays."""

    cells: CellTable
    subjects: list[int]
    units: dict[int, int]


def consensus_run(
    *, campaign: Campaign, settings: MergeSettings | None = None, report: Report = silent
) -> ConsensusRun:
    """Merge all votes that count; with no vote newer than the last run's, give that run again."""
    chosen = settings or MergeSettings()
    question = question_newest(campaign)
    current = _run_that_is_current(campaign, question, chosen)
    if current is not None:
        return current
    report(0, 4, "reading votes")
    places = _places(campaign)
    ballots = _ballots(campaign, question, places)
    report(1, 4, f"merging {len(ballots.votes.item)} votes")
    result = merge(ballots.votes, places.cells, chosen)
    report(2, 4, "writing the probabilities down")
    run = _write_down(campaign, question, chosen, ballots, places, result)
    report(4, 4, "merged")
    return run


def review_record(
    *, campaign: Campaign, subject: Subject, reviewer: User, label: str, note: str = ""
) -> Review:
    """Take a scientist's decision on a subject; earlier ones stay on record."""
    if not reviewer.has_perm("accounts.review"):
        raise ReviewError("Only scientists review labels; ask an admin for the role.")
    classes = tree_classes(question_newest(campaign).tree)
    if label not in classes:
        raise ReviewError(f"A label is one of {', '.join(classes)}; got {label!r}.")
    if not campaign.sorting.assignments.filter(subject=subject).exists():
        raise ReviewError(f"Subject {subject} does not belong to {campaign}.")
    return Review.objects.create(
        campaign=campaign, subject=subject, reviewer=reviewer, label=label, note=note
    )


def _run_that_is_current(
    campaign: Campaign, question: Question, settings: MergeSettings
) -> ConsensusRun | None:
    counted = _votes_that_count(campaign, question)
    last = counted.aggregate(last=Max("pk"))["last"]
    if last is None:
        raise NothingToMergeError(f"Nobody has voted in {campaign} yet, as its question stands.")
    return ConsensusRun.objects.filter(
        campaign=campaign,
        question=question,
        model=MODEL,
        settings=asdict(settings),
        last_vote_id=last,
        n_votes=counted.count(),
        code_version=__version__,
    ).first()


def _votes_that_count(campaign: Campaign, question: Question) -> QuerySet[Vote]:
    """Leave out superseded votes, and answers that the newest question no longer offers."""
    answers = [leaf["key"] for leaf in tree_leaves(question.tree)]
    return Vote.objects.filter(item__campaign=campaign, superseded_at=None, answer__in=answers)


def _places(campaign: Campaign) -> _Places:
    prototypes = Prototype.objects.filter(sorting=campaign.sorting).order_by("row", "column")
    units = {key: unit for unit, key in enumerate(prototypes.values_list("pk", flat=True))}
    rows = list(
        Assignment.objects.filter(sorting=campaign.sorting)
        .order_by("subject_id")
        .values_list(
            "subject_id", "prototype_id", "second_prototype_id", "distance", "second_distance"
        )
    )
    cells = CellTable(
        np.array([units[row[1]] for row in rows], dtype=np.int64),
        np.array([units[row[2]] for row in rows], dtype=np.int64),
        np.array([row[3] for row in rows], dtype=np.float64),
        np.array([row[4] for row in rows], dtype=np.float64),
        len(units),
    )
    return _Places(cells, [row[0] for row in rows], units)


def _ballots(campaign: Campaign, question: Question, places: _Places) -> _Ballots:
    leaves = tree_leaves(question.tree)
    answers = [leaf["key"] for leaf in leaves]
    classes = tree_classes(question.tree)
    if any(leaf.get("means") == "mixed" for leaf in leaves):
        classes = [*classes, MIXED]
    class_of = [_class_of(leaf, classes) for leaf in leaves]
    items = list(campaign.items.order_by("pk"))
    item_index = {item.pk: index for index, item in enumerate(items)}
    subject_index = {key: index for index, key in enumerate(places.subjects)}
    answer_index = {key: index for index, key in enumerate(answers)}
    rows = list(
        _votes_that_count(campaign, question)
        .order_by("pk")
        .values_list("pk", "item_id", "volunteer_id", "answer", "seconds")
    )
    volunteers = sorted({row[2] for row in rows})
    worker_index = {key: index for index, key in enumerate(volunteers)}
    table = VoteTable(
        item=np.array([item_index[row[1]] for row in rows], dtype=np.int64),
        worker=np.array([worker_index[row[2]] for row in rows], dtype=np.int64),
        answer=np.array([answer_index[row[3]] for row in rows], dtype=np.int64),
        item_cell=np.array([places.units.get(i.prototype_id or 0, -1) for i in items]),
        item_subject=np.array([subject_index.get(i.subject_id or 0, -1) for i in items]),
        n_workers=len(volunteers),
        answers=answers,
        classes=classes,
        class_of_answer=np.array(class_of, dtype=np.int64),
        audit=np.array(_audit_subjects(items, subject_index), dtype=np.int64),
    )
    return _Ballots(table, items, volunteers, sum(row[4] for row in rows), rows[-1][0])


def _audit_subjects(items: list[Item], index: dict[int, int]) -> list[int]:
    audit = (item.subject_id for item in items if item.kind == Item.Kind.AUDIT)
    return [index[subject] for subject in audit if subject is not None]


def _class_of(leaf: Answer, classes: list[str]) -> int:
    match leaf.get("means"):
        case "class":
            return classes.index(leaf["key"])
        case "mixed":
            return classes.index(MIXED)
        case _:
            return -1


@transaction.atomic
def _write_down(
    campaign: Campaign,
    question: Question,
    settings: MergeSettings,
    ballots: _Ballots,
    places: _Places,
    result: MergeResult,
) -> ConsensusRun:
    run = ConsensusRun.objects.create(
        campaign=campaign,
        question=question,
        model=MODEL,
        settings=asdict(settings),
        classes=result.subject_classes,
        n_votes=len(ballots.votes.item),
        n_volunteers=len(ballots.volunteers),
        last_vote_id=ballots.last_vote_id,
        seconds_of_volunteers=ballots.seconds,
        log_likelihood=float(result.log_likelihood[-1]) if len(result.log_likelihood) else None,
        n_iterations=result.n_iterations,
        has_converged=result.converged,
        audit=_audit(ballots, result),
        code_version=__version__,
        finished_at=timezone.now(),
    )
    _write_items(run, ballots, result)
    _write_volunteers(run, ballots, result)
    _write_subjects(run, places, result)
    return run


def _write_items(run: ConsensusRun, ballots: _Ballots, result: MergeResult) -> None:
    n_votes = np.bincount(ballots.votes.item, minlength=len(ballots.items))
    classes = ballots.votes.classes
    ItemPosterior.objects.bulk_create(
        (
            ItemPosterior(
                run=run,
                item=item,
                label=classes[int(np.argmax(result.item_probabilities[i]))],
                probabilities=dict(
                    zip(classes, result.item_probabilities[i].tolist(), strict=True)
                ),
                entropy_bits=float(result.item_entropy_bits[i]),
                n_votes=int(n_votes[i]),
            )
            for i, item in enumerate(ballots.items)
        ),
        batch_size=BATCH_SIZE,
    )


def _write_volunteers(run: ConsensusRun, ballots: _Ballots, result: MergeResult) -> None:
    n_votes = np.bincount(ballots.votes.worker, minlength=len(ballots.volunteers))
    VolunteerPosterior.objects.bulk_create(
        (
            VolunteerPosterior(
                run=run,
                volunteer_id=volunteer,
                n_votes=int(n_votes[w]),
                agreement=float(result.worker_agreement[w]),
                confusion={
                    kind: result.fit.confusion[k, w].round(6).tolist()
                    for k, kind in enumerate(ITEM_KINDS)
                },
            )
            for w, volunteer in enumerate(ballots.volunteers)
        ),
        batch_size=BATCH_SIZE,
    )


def _write_subjects(run: ConsensusRun, places: _Places, result: MergeResult) -> None:
    SubjectPosterior.objects.bulk_create(
        (
            SubjectPosterior(
                run=run,
                subject_id=subject,
                label=result.subject_classes[int(result.label[n])],
                probability=float(result.subject_probabilities[n, result.label[n]]),
                probabilities=result.subject_probabilities[n].tolist(),
                entropy_bits=float(result.entropy_bits[n]),
                is_unknown=bool(result.is_unknown[n]),
                weight_prototype=float(result.shares[n, SOURCES.index("prototype")]),
                weight_head=float(result.shares[n, SOURCES.index("head")]),
                weight_grid=float(result.shares[n, SOURCES.index("grid")]),
                weight_direct=float(result.shares[n, SOURCES.index("direct")]),
                weight_prior=float(result.shares[n, SOURCES.index("prior")]),
                n_votes_prototype=int(result.n_votes_prototype[n]),
                n_votes_grid=int(result.n_votes_grid[n]),
                n_votes_direct=int(result.n_votes_direct[n]),
                n_volunteers=int(result.n_workers[n]),
            )
            for n, subject in enumerate(places.subjects)
        ),
        batch_size=BATCH_SIZE,
    )


def _audit(ballots: _Ballots, result: MergeResult) -> dict[str, Any]:
    """Compare what the map alone says of audit subjects with what volunteers say of them."""
    votes = ballots.votes
    n_votes = np.bincount(votes.item, minlength=votes.n_items)
    is_audit = np.array([item.kind == Item.Kind.AUDIT for item in ballots.items])
    judged = np.flatnonzero(is_audit & (n_votes >= AUDIT_VOTES))
    if not len(judged):
        return {"n_subjects": 0}
    subjects = votes.item_subject[judged]
    said = (np.log(result.class_prior) + result.own_log_likelihood[subjects]).argmax(axis=1)
    expected = result.machine_probabilities[subjects].argmax(axis=1)
    n_right = int((said == expected).sum())
    interval = wilson_interval(n_right, len(judged))
    return {
        "n_subjects": len(judged),
        "n_votes": int(n_votes[judged].sum()),
        "agreement": interval.value,
        "interval_low": interval.low,
        "interval_high": interval.high,
        "confidence": 0.95,
    }
