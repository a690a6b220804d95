"""Compares ways to ask volunteers: the same crowd, the same budgets, one table for each budget."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from skysort.consensus.accuracy import score
from skysort.consensus.experiment import (
    Campaign,
    Snapshot,
    ask_adaptively,
    ask_majority,
    ask_prototypes,
    ask_singly,
)
from skysort.consensus.simulation import Crowd
from skysort.images.cost_plot import CostLine, CostPanel

__all__ = ["FIGURES", "MAJORITIES", "METHODS", "Outcome", "panels", "study", "summary", "tables"]

OURS: Final = "ours"
HUMAN_ONLY: Final = "human-only adaptive"
COPIED: Final = "copied prototype labels"
#: Votes on every subject that a plain count is given.
MAJORITIES: Final = (5, 20)
METHODS: Final = (OURS, HUMAN_ONLY, COPIED, *(f"majority of {n}" for n in MAJORITIES))
#: Keys of the figures, how a table heads them, and digits after the point.
FIGURES: Final = (
    ("votes_per_subject", "votes", 2),
    ("seconds_per_subject", "seconds", 1),
    ("accuracy", "accuracy", 3),
    ("macro_f1", "macro-F1", 3),
    ("rarest_recall", "rarest recall", 3),
    ("brier", "Brier", 3),
    ("calibration_error", "calib. error", 3),
    ("coverage", "p >= 0.9", 3),
    ("accuracy_covered", "accuracy there", 3),
)


@dataclass(frozen=True)
class Outcome:
    """What one method made of one budget with the crowd of one seed.

    `budget` is in votes per subject; None for majorities, which have votes of their own. Figures
    that do not exist (accuracy of no rows) are None.
    """

    method: str
    budget: float | None
    seed: int
    n_votes: int
    n_wanted: int
    votes_per_subject: float
    seconds_per_subject: float
    accuracy: float
    macro_f1: float
    rarest_recall: float
    brier: float
    log_loss: float
    calibration_error: float
    coverage: float
    accuracy_covered: float | None
    questions: dict[str, int]


def study(
    campaign: Campaign,
    crowd: Crowd,
    budgets: Sequence[float],
    *,
    seed: int,
    on_progress: Callable[[int, int], None],
) -> Iterator[Outcome]:
    """Try all methods with one crowd; progress is that of ours, which takes longest.

    A majority of more votes than there are volunteers is left out.
    """
    wanted = [max(1, round(budget * campaign.n_subjects)) for budget in budgets]

    def outcomes(method: str, snapshots: Sequence[Snapshot]) -> Iterator[Outcome]:
        for budget, n_wanted, snapshot in zip(budgets, wanted, snapshots, strict=True):
            yield _outcome(campaign, snapshot, method, seed, budget=budget, n_wanted=n_wanted)

    ours = ask_adaptively(campaign, crowd, wanted, seed=seed, on_progress=on_progress)
    yield from outcomes(OURS, ours)
    yield from outcomes(HUMAN_ONLY, ask_singly(campaign, crowd, wanted, seed=seed))
    yield from outcomes(COPIED, ask_prototypes(campaign, crowd, wanted, seed=seed))
    for votes_each in MAJORITIES:
        if votes_each <= len(crowd.effort):
            counted = ask_majority(campaign, crowd, votes_each, seed=seed)
            yield _outcome(campaign, counted, f"majority of {votes_each}", seed)


def _outcome(
    campaign: Campaign,
    snapshot: Snapshot,
    method: str,
    seed: int,
    *,
    budget: float | None = None,
    n_wanted: int | None = None,
) -> Outcome:
    result = score(snapshot.probabilities, campaign.truth)
    rarest = int(np.bincount(campaign.truth).argmin())
    return Outcome(
        method,
        budget,
        seed,
        n_votes=snapshot.n_votes,
        n_wanted=snapshot.n_votes if n_wanted is None else n_wanted,
        votes_per_subject=snapshot.n_votes / campaign.n_subjects,
        seconds_per_subject=snapshot.seconds / campaign.n_subjects,
        accuracy=result.accuracy.value,
        macro_f1=result.macro_f1,
        rarest_recall=float(result.completeness[rarest]),
        brier=result.brier,
        log_loss=result.log_loss,
        calibration_error=result.calibration_error,
        coverage=result.coverage,
        accuracy_covered=_known(result.accuracy_covered.value),
        questions=dict(snapshot.kinds),
    )


def _of(outcomes: Sequence[Outcome], method: str, budget: float | None) -> list[Outcome]:
    """Pick those of one method and budget; majorities fit all budgets."""
    return [o for o in outcomes if o.method == method and o.budget in (None, budget)]


def _mean_and_spread(outcomes: Sequence[Outcome], figure: str) -> tuple[float, float]:
    """Mean and standard deviation over the seeds; NaN of no seed, and the latter of one."""
    values = [getattr(outcome, figure) for outcome in outcomes]
    known = np.array([value for value in values if value is not None])
    if not known.size:
        return math.nan, math.nan
    return float(known.mean()), float(known.std(ddof=1)) if known.size > 1 else math.nan


def summary(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Give means, standard deviations and every seed's figures of each method and budget."""
    found = dict.fromkeys((outcome.method, outcome.budget) for outcome in outcomes)
    return [
        {
            "method": method,
            "budget": budget,
            "mean": {key: _known(mean) for key, (mean, _) in figures.items()},
            "spread": {key: _known(spread) for key, (_, spread) in figures.items()},
            "seeds": [
                {key: value for key, value in asdict(o).items() if key not in {"method", "budget"}}
                for o in some
            ],
        }
        for method, budget in found
        for some in [_of(outcomes, method, budget)]
        for figures in [{key: _mean_and_spread(some, key) for key, *_ in FIGURES}]
    ]


def _known(figure: float) -> float | None:
    """Put None for NaN, which JSON has not."""
    return None if math.isnan(figure) else figure


def tables(outcomes: Sequence[Outcome], budgets: Sequence[float]) -> str:
    """Print means (and standard deviations where there are several seeds), one table a budget."""
    return "\n\n".join(_table(outcomes, budget) for budget in budgets)


def _table(outcomes: Sequence[Outcome], budget: float) -> str:
    rows = [["", *(head for _, head, _ in FIGURES)]]
    for method in METHODS:
        some = _of(outcomes, method, budget)
        if some:
            rows.append([method, *(_cell(some, key, digits) for key, _, digits in FIGURES)])
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip()
        for row in rows
    ]
    asked = _asked(_of(outcomes, OURS, budget))
    return "\n".join([f"Budget of {budget:g} votes per subject", *lines, asked])


def _asked(outcomes: Sequence[Outcome]) -> str:
    """Tell how often each kind of question was asked, on average over the seeds."""
    kinds = dict.fromkeys(kind for outcome in outcomes for kind in outcome.questions)
    counts = {
        kind: sum(o.questions.get(kind, 0) for o in outcomes) / len(outcomes) for kind in kinds
    }
    ranked = sorted(counts.items(), key=lambda pair: -pair[1])
    return f"{OURS} asked about: " + ", ".join(f"{kind} {n:,.0f}" for kind, n in ranked)


def _cell(outcomes: Sequence[Outcome], figure: str, digits: int) -> str:
    mean, spread = _mean_and_spread(outcomes, figure)
    if math.isnan(mean):
        return "-"
    said = f"{mean:.{digits}f}"
    return said if math.isnan(spread) or spread == 0.0 else f"{said} ± {spread:.{digits}f}"


def panels(outcomes: Sequence[Outcome]) -> list[CostPanel]:
    """Prepare the plot of accuracy and calibration error against votes per subject."""
    is_spread = len({outcome.seed for outcome in outcomes}) > 1
    shown = (
        ("Accuracy (band: standard deviation)" if is_spread else "Accuracy", "accuracy"),
        ("Calibration error (smaller is better)", "calibration_error"),
    )
    return [
        CostPanel(title, [line for method in METHODS if (line := _line(outcomes, method, figure))])
        for title, figure in shown
    ]


def _line(outcomes: Sequence[Outcome], method: str, figure: str) -> CostLine | None:
    budgets = dict.fromkeys(o.budget for o in outcomes if o.method == method)
    some = [_of(outcomes, method, budget) for budget in budgets]
    if not some:
        return None
    votes = [_mean_and_spread(group, "votes_per_subject")[0] for group in some]
    pairs = [_mean_and_spread(group, figure) for group in some]
    return CostLine(
        method, votes, [mean for mean, _ in pairs], np.nan_to_num([spread for _, spread in pairs])
    )
