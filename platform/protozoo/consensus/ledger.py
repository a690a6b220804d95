"""Counts what a catalog has cost so far: votes and seconds for each row, and what they brought."""

from collections.abc import Mapping
from typing import Any, Final, TypedDict

from protozoo.consensus.ballots import Ballots
from protozoo.consensus.honesty import Honesty
from skysort.consensus.merge import MergeResult

SURE: Final = 0.9


class KindOfQuestion(TypedDict):
    """What one kind of question has cost."""

    n_votes: int
    seconds: float
    median_seconds: float


class Ledger(TypedDict):
    """Effort and gain of one run; accuracy is that of rows that nobody looked at themselves."""

    n_rows: int
    votes_per_row: float
    seconds_per_row: float
    kinds: dict[str, KindOfQuestion]
    mean_probability: float
    share_sure: float
    share_looked_at: float
    accuracy: Mapping[str, Any] | None


def ledger_of(ballots: Ballots, result: MergeResult, honesty: Honesty) -> Ledger:
    """Draw up the ledger of a merge."""
    n_rows = len(result.label)
    claimed = result.subject_probabilities.max(axis=1)
    report = honesty.as_json()["report"]
    is_known = report is not None and report["n_informative"] > 0
    return {
        "n_rows": n_rows,
        "votes_per_row": ballots.n_votes / n_rows,
        "seconds_per_row": ballots.seconds / n_rows,
        "kinds": {
            kind: {
                "n_votes": effort.n_votes,
                "seconds": effort.seconds,
                "median_seconds": effort.median_seconds,
            }
            for kind, effort in sorted(ballots.effort.items())
        },
        "mean_probability": float(claimed.mean()),
        "share_sure": float((claimed >= SURE).mean()),
        "share_looked_at": float((result.n_votes_grid + result.n_votes_direct > 0).mean()),
        "accuracy": report["accuracy"] if is_known else None,
    }
