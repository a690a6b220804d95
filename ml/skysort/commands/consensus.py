"""`skysort consensus`: class probabilities from any table of votes."""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skysort.commands.arguments import Commands, add_force, check_target
from skysort.errors import InputError

if TYPE_CHECKING:
    from skysort.consensus.crowd_tables import CrowdVotes

FloatArray = NDArray[np.float64]

#: Cells of all confusion matrices together; a free-text column has as many labels as rows.
MOST_CELLS = 50_000_000
#: Smaller probabilities are scored as this one, so that one vote share of 0 costs no infinity.
FLOOR = 1e-6
FIGURES = ("accuracy", "brier", "log_loss", "calibration_error")


@dataclass(frozen=True)
class _Model:
    probabilities: FloatArray
    about: dict[str, Any]


def add(commands: Commands) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "consensus",
        help="turn votes of volunteers into class probabilities",
        description="Learn from a CSV table with columns item, worker and label what each item "
        "is and how each volunteer answers. A volunteer's last vote on an item counts. With the "
        "truth, score the result beside a count of votes and plain Dawid-Skene.",
    )
    parser.add_argument("votes", type=Path, metavar="VOTES.csv", help="also compressed by gzip")
    parser.add_argument(
        "--truth", type=Path, metavar="TRUTH.csv", help="columns item and truth; scored, not used"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="POSTERIORS.csv")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_force(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> str:
    """Read, fit, write, and score if there is a truth."""
    from skysort.consensus.crowd_tables import read_truth, read_votes, write_posteriors

    check_target(options.output, force=options.force)
    votes = read_votes(options.votes)
    if len(votes.workers) * len(votes.labels) ** 2 > MOST_CELLS:
        raise InputError(
            f"{options.votes} has {len(votes.labels)} different labels by {len(votes.workers)} "
            "volunteers, too many for confusion matrices; is its column label a class?"
        )
    truth = None if options.truth is None else read_truth(options.truth)
    model = _fit(votes)
    report: dict[str, Any] = {
        "items": len(votes.items),
        "volunteers": len(votes.workers),
        "votes": len(votes.item),
        "classes": votes.labels,
        "votes_replaced": votes.n_replaced,
        **model.about,
    }
    if truth is not None:
        report |= _scores(options.truth, votes, truth, model.probabilities)
    write_posteriors(options.output, votes, model.probabilities)
    return json.dumps(report) if options.json else _lines(report, options.output)


def _sizes(votes: "CrowdVotes") -> dict[str, int]:
    return {
        "n_items": len(votes.items),
        "n_workers": len(votes.workers),
        "n_classes": len(votes.labels),
    }


def _fit(votes: "CrowdVotes") -> _Model:
    from skysort.consensus.vote_model import fit_vote_model

    fit = fit_vote_model(
        votes.item,
        votes.worker,
        votes.label,
        **_sizes(votes),
        n_answers=len(votes.labels),
        class_of_answer=np.arange(len(votes.labels)),
    )
    return _Model(
        fit.item_probabilities,
        {
            "correlation": float(fit.correlation[0]),
            "rounds": fit.n_iterations,
            "converged": fit.converged,
        },
    )


def _scores(
    path: Path, votes: "CrowdVotes", truth: dict[str, str], model: FloatArray
) -> dict[str, Any]:
    """Score ours and the baselines on the items that have votes and a truth."""
    from skysort.consensus.baselines import majority, plain_dawid_skene

    number = {name: i for i, name in enumerate(votes.items)}
    scored = [name for name in truth if name in number]
    if not scored:
        raise InputError(f"{path} has no item of the votes")
    unnamed = sorted({truth[name] for name in scored} - set(votes.labels))
    place = {label: k for k, label in enumerate([*votes.labels, *unnamed])}
    rows = np.array([number[name] for name in scored])
    true = np.array([place[truth[name]] for name in scored])
    sizes = _sizes(votes)
    del sizes["n_workers"]
    tables = {
        "model": model,
        "majority": majority(votes.item, votes.label, **sizes),
        "plain_dawid_skene": plain_dawid_skene(
            votes.item, votes.worker, votes.label, **_sizes(votes)
        ),
    }
    return {
        "items_scored": len(scored),
        "truth_without_votes": len(truth) - len(scored),
        "truth_that_nobody_named": unnamed,
        "scores": {
            name: _score(np.pad(table[rows], ((0, 0), (0, len(unnamed)))), true)
            for name, table in tables.items()
        },
    }


def _score(probabilities: FloatArray, truth: NDArray[np.int64]) -> dict[str, float]:
    """Score; of labels that tie, each counts in part, as if one of them were drawn."""
    from skysort.consensus.accuracy import score

    is_top = probabilities >= probabilities.max(axis=1, keepdims=True) - 1e-12
    drawn = is_top[np.arange(len(truth)), truth] / is_top.sum(axis=1)
    floored = np.maximum(probabilities, FLOOR)
    result = score(floored / floored.sum(axis=1, keepdims=True), truth)
    return {
        "accuracy": float(drawn.mean()),
        "brier": result.brier,
        "log_loss": result.log_loss,
        "calibration_error": result.calibration_error,
    }


def _lines(report: dict[str, Any], output: Path) -> str:
    size = f"{report['items']:,} items, {report['volunteers']:,} volunteers"
    lines = [f"{output}: {size}, {report['votes']:,} votes, {len(report['classes'])} classes"]
    if report["votes_replaced"]:
        lines.append(f"{report['votes_replaced']:,} votes were replaced by later ones")
    if "scores" not in report:
        return "\n".join(lines)
    lines.append(f"{report['items_scored']:,} items scored")
    if report["truth_without_votes"]:
        lines.append(f"{report['truth_without_votes']:,} items of the truth have no votes")
    if report["truth_that_nobody_named"]:
        lines.append(f"labels that nobody named: {', '.join(report['truth_that_nobody_named'])}")
    header = "".join(f"{name.replace('_', ' '):>19}" for name in FIGURES)
    lines += ["", f"{'':18}{header}"]
    for name, figures in report["scores"].items():
        values = "".join(f"{figures[figure]:19.4f}" for figure in FIGURES)
        lines.append(f"{name.replace('_', ' '):18}{values}")
    return "\n".join(lines)
