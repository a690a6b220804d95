"""Writes a run down in small pieces, so that votes never wait long for the database.

A run is nobody's business until its last row stands; what a killed merge has left is cleared away
by the next one.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

import numpy as np
from django.db import connection, models, transaction
from django.utils import timezone
from numpy.typing import NDArray

from protozoo.consensus.ballots import Ballots, Places
from protozoo.consensus.models import (
    ConsensusRun,
    ItemPosterior,
    VolunteerPosterior,
)
from protozoo.jobs.services import Report
from protozoo.voting.models import Campaign
from skysort.consensus.evidence import SOURCES
from skysort.consensus.merge import ITEM_KINDS, MergeResult

# Rows that are written in one transaction: votes wait no longer than some hundredths of a second.
BATCH_SIZE: Final = 1000
# Runs whose rows are kept; of older ones only the figures stay.
KEPT_RUNS: Final = 3
# Digits of a volunteer's chances.
DIGITS: Final = 6
WRITING: Final = "writing the probabilities down"


def rows_write(
    run: ConsensusRun, ballots: Ballots, places: Places, result: MergeResult, report: Report
) -> None:
    """Write all rows of a run but its date."""
    total = len(ballots.items) + len(ballots.volunteers) + len(places.subjects)
    done = 0
    for rows in (_items(run, ballots, result), _volunteers(run, ballots, result)):
        while batch := list(islice(rows, BATCH_SIZE)):
            _create(batch)
            done += len(batch)
            report(done, total, WRITING)
    trusted = reliability(ballots, places, result)
    for start in range(0, len(places.subjects), BATCH_SIZE):
        part = slice(start, start + BATCH_SIZE)
        _insert_subjects(_subject_columns(run, places, result, trusted, part))
        report(total - max(0, len(places.subjects) - part.stop), total, WRITING)


def _create(batch: list[Any]) -> None:
    type(batch[0]).objects.bulk_create(batch)


def _insert_subjects(columns: Mapping[str, Iterable[Any]]) -> None:
    """Write rows given by columns: a fifth of the time that objects take."""
    marks = ", ".join(["%s"] * len(columns))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO consensus_subjectposterior ({', '.join(columns)})"  # noqa: S608  # our own
            f" VALUES ({marks})",
            list(zip(*columns.values(), strict=True)),
        )


def run_finish(run: ConsensusRun) -> None:
    """Show a run whose rows all stand."""
    run.finished_at = timezone.now()
    run.save(update_fields=["finished_at", "online"])


def _items(run: ConsensusRun, ballots: Ballots, result: MergeResult) -> Iterator[models.Model]:
    votes = ballots.votes
    n_votes = np.bincount(votes.item, minlength=votes.n_items)
    for i, item in enumerate(ballots.items.tolist()):
        probabilities = result.item_probabilities[i]
        yield ItemPosterior(
            run=run,
            item_id=item,
            label=votes.classes[int(probabilities.argmax())],
            probabilities=dict(zip(votes.classes, probabilities.tolist(), strict=True)),
            entropy_bits=float(result.item_entropy_bits[i]),
            n_votes=int(n_votes[i]),
        )


def _volunteers(run: ConsensusRun, ballots: Ballots, result: MergeResult) -> Iterator[models.Model]:
    votes, fit = ballots.votes, result.fit
    n_votes = np.bincount(votes.worker, minlength=votes.n_workers)
    n_judgments = np.bincount(votes.grids.worker, minlength=votes.n_workers)
    ticks = tick_chances(result)
    for w in np.flatnonzero(n_votes + n_judgments).tolist():
        judges = n_judgments[w] > 0
        yield VolunteerPosterior(
            run=run,
            volunteer_id=int(ballots.volunteers[w]),
            n_votes=int(n_votes[w]),
            agreement=float(result.worker_agreement[w]),
            confusion={
                kind: fit.confusion[k, w].round(DIGITS).tolist()
                for k, kind in enumerate(ITEM_KINDS)
            },
            n_judgments=int(n_judgments[w]),
            ticks_members=float(ticks[w, 0]) if judges else None,
            ticks_strangers=float(ticks[w, 1]) if judges else None,
        )


def tick_chances(result: MergeResult) -> NDArray[np.float64]:
    """Give each volunteer's mean chance (W, 2) of ticking what belongs, and what does not."""
    crowd = result.fit.crowd_judgment[..., 1]
    belongs = np.eye(len(crowd), dtype=bool)
    usual = np.array([crowd[belongs].mean(), crowd[~belongs].mean() if len(crowd) > 1 else 0.5])
    odds = result.fit.judgment_odds * usual / (1.0 - usual)
    chances: NDArray[np.float64] = odds / (1.0 + odds)
    return chances


def _subject_columns(
    run: ConsensusRun,
    places: Places,
    result: MergeResult,
    trusted: NDArray[np.float64],
    part: slice,
) -> dict[str, Iterable[Any]]:
    """Give some rows of SubjectPosterior by the columns of its table."""
    subjects, labels = places.subjects[part], result.label[part]
    probabilities = result.subject_probabilities[part]
    as_json = models.JSONField().get_db_prep_save
    shares = {name: result.shares[part, SOURCES.index(name)].tolist() for name in SOURCES}
    return {
        "run_id": [run.pk] * len(subjects),
        "subject_id": subjects.tolist(),
        "label": [result.subject_classes[label] for label in labels.tolist()],
        "probability": probabilities[np.arange(len(labels)), labels].tolist(),
        "probabilities": [as_json(row, connection) for row in probabilities.tolist()],
        "is_unknown": result.is_unknown[part].tolist(),
        "entropy_bits": result.entropy_bits[part].tolist(),
        "weight_prototype": shares["prototype"],
        "weight_head": shares["head"],
        "weight_grid": shares["grid"],
        "weight_direct": shares["direct"],
        "weight_prior": shares["prior"],
        "n_votes_prototype": result.n_votes_prototype[part].tolist(),
        "n_votes_grid": result.n_votes_grid[part].tolist(),
        "n_votes_direct": result.n_votes_direct[part].tolist(),
        "n_volunteers": result.n_workers[part].tolist(),
        "reliability": [value if value >= 0.0 else None for value in trusted[part].tolist()],
    }


def reliability(ballots: Ballots, places: Places, result: MergeResult) -> NDArray[np.float64]:
    """Give the mean agreement (N,) of those behind each subject's votes; -1 without any."""
    votes, best, n = ballots.votes, places.cells.best, len(places.subjects)
    cell, subject = votes.item_cell[votes.item], votes.item_subject[votes.item]
    skill = result.worker_agreement[votes.worker]
    judges = result.worker_agreement[votes.grids.worker]
    on_cell, on_subject = cell >= 0, subject >= 0
    by_cell = np.bincount(cell[on_cell], skill[on_cell], minlength=places.cells.n_cells)
    total = by_cell[best].astype(float)
    total += np.bincount(subject[on_subject], skill[on_subject], minlength=n)
    total += np.bincount(votes.grids.subject, judges, minlength=n)
    count = result.n_votes_prototype + result.n_votes_grid + result.n_votes_direct
    mean: NDArray[np.float64] = np.divide(total, count, out=np.full(n, -1.0), where=count > 0)
    return mean


# What is cleared away -----------------------------------------------------------------------
def runs_discard_unfinished(campaign: Campaign) -> None:
    """Clear away what a killed merge has left."""
    for run in ConsensusRun.all_runs.filter(campaign=campaign, finished_at=None):
        _rows_delete(run)
        run.delete()


def runs_prune(campaign: Campaign) -> None:
    """Keep the rows of the newest runs alone: a run of a million subjects takes half a gigabyte."""
    for run in campaign.consensus_runs.all()[KEPT_RUNS:]:
        _rows_delete(run)


def _rows_delete(run: ConsensusRun) -> None:
    for rows in (
        run.items, run.volunteers, run.subjects, run.item_beliefs, run.volunteer_beliefs
    ):  # fmt: skip
        while keys := list(rows.values_list("pk", flat=True)[:BATCH_SIZE]):
            rows.filter(pk__in=keys).delete()
