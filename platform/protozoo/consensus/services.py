"""Merges a campaign's votes with its sorting, and takes scientists' decisions."""

import fcntl
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, Final

import numpy as np
from django.db.models import Max
from django.utils.translation import gettext as _

from protozoo.accounts.models import User
from protozoo.consensus.asking import questions_propose
from protozoo.consensus.ballots import (
    Ballots,
    ballots_read,
    gold_labels,
    places_read,
    votes_that_count,
)
from protozoo.consensus.baselines import baselines_of
from protozoo.consensus.exceptions import MergeBusyError, NothingToMergeError, ReviewError
from protozoo.consensus.honesty import calibrated
from protozoo.consensus.ledger import ledger_of
from protozoo.consensus.models import ConsensusRun, Review
from protozoo.consensus.online import beliefs_write, newest_vote_id, votes_replay
from protozoo.consensus.splits import splits_propose
from protozoo.consensus.state import merge_folder, state_load, state_save
from protozoo.consensus.writing import (
    rows_write,
    run_finish,
    runs_discard_unfinished,
    runs_prune,
)
from protozoo.jobs.services import Report, silent
from protozoo.sorting.selectors import features_of
from protozoo.subjects.models import Subject
from protozoo.voting.models import Campaign, Item, Question
from protozoo.voting.selectors import question_newest
from protozoo.voting.trees import tree_classes
from skysort import __version__
from skysort.consensus.accuracy import wilson_interval
from skysort.consensus.merge import MODEL, MergeResult, MergeSettings, merge

# An audit item with fewer votes than this says too little about the truth.
AUDIT_VOTES: Final = 3


def consensus_run(
    *,
    campaign: Campaign,
    settings: MergeSettings | None = None,
    is_fresh: bool = False,
    report: Report = silent,
) -> ConsensusRun:
    """Merge all votes that count; with nothing new since the last run, give that run again.

    What the last run has learnt is the first guess of this one, unless it shall be a fresh one.
    """
    chosen = settings or MergeSettings()
    question = question_newest(campaign)
    with _only_merger(campaign):
        current = None if is_fresh else _run_that_is_current(campaign, question, chosen)
        return current or _merge(campaign, question, chosen, is_fresh=is_fresh, report=report)


def _merge(
    campaign: Campaign,
    question: Question,
    settings: MergeSettings,
    *,
    is_fresh: bool,
    report: Report,
) -> ConsensusRun:
    runs_discard_unfinished(campaign)
    inputs = _inputs_checksum(campaign, question)
    report(0, 0, "reading votes")
    places = places_read(campaign)
    state = None if is_fresh else state_load(campaign, question, places)
    earlier = np.empty(0, dtype=np.int64) if state is None else state.volunteers
    ballots = ballots_read(campaign, question, places, earlier=earlier)
    if not ballots.n_votes:
        raise NothingToMergeError(
            _("Nobody has voted in %(campaign)s yet, as its question stands.")
            % {"campaign": campaign}
        )
    report(0, 0, f"merging {ballots.n_votes} votes")
    merged = merge(
        ballots.votes,
        places.cells,
        settings,
        features=features_of(campaign.sorting, places.subjects),
        start=None if state is None else state.start.as_result(),
    )
    result, honesty = calibrated(merged, ballots, places)
    run = ConsensusRun.all_runs.create(
        campaign=campaign,
        question=question,
        model=MODEL,
        settings=asdict(settings),
        classes=result.subject_classes,
        n_votes=ballots.n_votes,
        n_volunteers=_n_volunteers(ballots),
        last_vote_id=ballots.last_vote_id,
        seconds_of_volunteers=ballots.seconds,
        log_likelihood=float(result.log_likelihood[-1]) if len(result.log_likelihood) else None,
        n_iterations=result.n_iterations,
        has_converged=result.converged,
        audit=_audit(ballots, result),
        calibration=honesty.as_json(),
        ledger={
            **ledger_of(ballots, result, honesty),
            "baselines": baselines_of(ballots, places, result),
        },
        inputs_checksum=inputs,
        code_version=__version__,
    )
    rows_write(run, ballots, places, result, report)
    beliefs_write(run, ballots, places, result, settings)
    # Whoever votes from here on changes this run's beliefs.
    missed_until = newest_vote_id(campaign)
    run_finish(run)
    state_save(campaign, question, places, ballots, result)
    runs_prune(campaign)
    if campaign.state == Campaign.State.OPEN:
        questions_propose(campaign=campaign, ballots=ballots, places=places, result=result)
    votes_replay(run, until=missed_until)
    splits_propose(campaign=campaign, places=places, result=result, classes=ballots.votes.classes)
    return run


def review_record(
    *, campaign: Campaign, subject: Subject, reviewer: User, label: str, note: str = ""
) -> Review:
    """Take a scientist's decision on a subject; earlier ones stay on record."""
    if not reviewer.has_perm("accounts.review"):
        raise ReviewError(_("Only scientists review labels; ask an admin for the role."))
    classes = tree_classes(question_newest(campaign).tree)
    if label not in classes:
        raise ReviewError(
            _("A label is one of %(classes)s; got %(label)r.")
            % {"classes": ", ".join(classes), "label": label}
        )
    if not campaign.sorting.assignments.filter(subject=subject).exists():
        raise ReviewError(
            _("Subject %(subject)s does not belong to %(campaign)s.")
            % {"subject": subject, "campaign": campaign}
        )
    return Review.objects.create(
        campaign=campaign, subject=subject, reviewer=reviewer, label=label, note=note
    )


@contextmanager
def _only_merger(campaign: Campaign) -> Iterator[None]:
    """Keep a second merge of the campaign out; the lock dies with the process."""
    folder = merge_folder(campaign)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise MergeBusyError(
                _("The votes of %(campaign)s are being merged already; it will be done soon.")
                % {"campaign": campaign}
            ) from error
        yield


def _run_that_is_current(
    campaign: Campaign, question: Question, settings: MergeSettings
) -> ConsensusRun | None:
    """Find the newest run, if it merged just what there is and its rows are kept."""
    newest = campaign.consensus_runs.first()
    if newest is None:
        return None
    counted = votes_that_count(campaign, question)
    same = ConsensusRun.objects.filter(
        pk=newest.pk,
        question=question,
        model=MODEL,
        settings=asdict(settings),
        last_vote_id=counted.aggregate(last=Max("pk"))["last"] or 0,
        n_votes=counted.count(),
        inputs_checksum=_inputs_checksum(campaign, question),
        code_version=__version__,
    )
    return same.first()


def _inputs_checksum(campaign: Campaign, question: Question) -> str:
    """Tell what is merged beside the votes: the map, its features and the known classes."""
    sorting = campaign.sorting
    gold = sorted(gold_labels(campaign, question).items())
    about = [sorting.pk, sorting.map_checksum, sorting.features_path.exists(), gold]
    return hashlib.sha256(json.dumps(about).encode()).hexdigest()


def _n_volunteers(ballots: Ballots) -> int:
    return len(np.union1d(ballots.votes.worker, ballots.votes.grids.worker))


def _audit(ballots: Ballots, result: MergeResult) -> dict[str, Any]:
    """Compare what the map alone says of audit subjects with what volunteers say of them."""
    votes = ballots.votes
    n_votes = np.bincount(votes.item, minlength=votes.n_items)
    is_audit = ballots.item_kinds == Item.Kind.AUDIT.value
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
