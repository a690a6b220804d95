"""Compares a merge with what counting alone makes of the same votes.

Two ways that need no model: every subject gets the label that most people gave to its prototype,
and subjects that people looked at themselves get the label that most of them gave. Of labels with
equally many votes the first of the question counts.
"""

from collections.abc import Mapping
from typing import Any, Final, TypedDict

import numpy as np
from numpy.typing import NDArray

from protozoo.consensus.ballots import Ballots, Places
from protozoo.voting.models import Item
from skysort.consensus.audit import audit_report
from skysort.consensus.merge import MergeResult

IntArray = NDArray[np.int64]

# Samples with replacement behind the limits of an accuracy: enough for two digits.
N_BOOTSTRAP: Final = 200


class Baseline(TypedDict):
    """What counting costs and gives: rows with a label, and how many agree with the merge.

    The accuracy is that of the rows with a label; None where no audit votes tell it.
    """

    n_votes: int
    seconds: float
    n_rows: int
    share_rows: float
    agreement: float | None
    accuracy: Mapping[str, Any] | None


class Baselines(TypedDict):
    """Labels of prototypes copied to their members; majorities of votes on subjects."""

    copied: Baseline
    majority: Baseline


def baselines_of(ballots: Ballots, places: Places, result: MergeResult) -> Baselines:
    """Count the votes of a merge in both ways."""
    votes, best = ballots.votes, places.cells.best
    named = votes.item_cell[votes.item]
    copied = _most_named(named, ballots, result, n_things=places.cells.n_cells)[best]
    seen = votes.item_subject[votes.item]
    majority = _most_named(seen, ballots, result, n_things=len(best))
    singles = set(ballots.effort) - {Item.Kind.PROTOTYPE.value, Item.Kind.GRID.value}
    return {
        "copied": _baseline(
            ballots, {Item.Kind.PROTOTYPE.value}, copied, result, _accuracy(copied, places, result)
        ),
        # The votes that would judge these labels are those that made them.
        "majority": _baseline(ballots, singles, majority, result, None),
    }


def _most_named(
    thing: IntArray, ballots: Ballots, result: MergeResult, *, n_things: int
) -> IntArray:
    """Find the class (n_things,) that most votes name; -1 for none, or for a mixed group."""
    votes = ballots.votes
    said, n_classes = votes.class_of_answer[votes.answer], len(votes.classes)
    tells = (thing >= 0) & (said >= 0)
    place = thing[tells] * n_classes + said[tells]
    counts = np.bincount(place, minlength=n_things * n_classes).reshape(n_things, n_classes)
    number = {name: n for n, name in enumerate(result.subject_classes)}
    classes = np.array([number.get(name, -1) for name in votes.classes])
    return np.where(counts.any(axis=1), classes[counts.argmax(axis=1)], -1)


def _baseline(
    ballots: Ballots,
    kinds: set[str],
    label: IntArray,
    result: MergeResult,
    accuracy: Mapping[str, Any] | None,
) -> Baseline:
    is_labelled = label >= 0
    n_rows = int(is_labelled.sum())
    same = label[is_labelled] == result.label[is_labelled]
    efforts = [effort for kind, effort in ballots.effort.items() if kind in kinds]
    return {
        "n_votes": sum(effort.n_votes for effort in efforts),
        "seconds": sum(effort.seconds for effort in efforts),
        "n_rows": n_rows,
        "share_rows": n_rows / len(label),
        "agreement": float(same.mean()) if n_rows else None,
        "accuracy": accuracy,
    }


def _accuracy(label: IntArray, places: Places, result: MergeResult) -> Mapping[str, Any] | None:
    """Estimate the share of right labels by the votes on audit subjects, as for the merge."""
    judged = np.flatnonzero(places.is_audit & (label >= 0))
    if not len(judged):
        return None
    certain = np.eye(len(result.subject_classes))[label[judged]]
    report = audit_report(certain, result.own_log_likelihood[judged], n_bootstrap=N_BOOTSTRAP)
    if not report.n_informative:
        return None
    accuracy: Mapping[str, Any] = report.to_dict()["accuracy"]
    return accuracy
