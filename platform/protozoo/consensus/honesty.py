"""Makes a merge's probabilities honest by its audit sample, and says how good they are.

Only what the machine says is calibrated; the votes on a subject itself are added afterwards. The
figures are those of rows that nobody looked at: the audit subjects' own votes teach nothing.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from protozoo.consensus.ballots import Ballots, Places
from skysort.consensus.audit import AuditReport, audit_report
from skysort.consensus.calibration import Calibration, calibrate_held_out, fit_calibration
from skysort.consensus.evidence import entropy_bits
from skysort.consensus.merge import MergeResult

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Honesty:
    """How probabilities were calibrated, and what the audit says of the calibrated ones."""

    calibration: Calibration
    report: AuditReport | None

    def as_json(self) -> dict[str, Any]:
        return {
            "calibration": self.calibration.to_dict(),
            "report": self.report.to_dict() if self.report else None,
        }


def calibrated(
    result: MergeResult, ballots: Ballots, places: Places
) -> tuple[MergeResult, Honesty]:
    """Calibrate a merge; without an audit sample it stays as it is."""
    audit = np.flatnonzero(places.is_audit)
    if not len(audit):
        return result, Honesty(Calibration(), None)
    machine, said = result.machine_probabilities[audit], result.own_log_likelihood[audit]
    calibration = fit_calibration(machine, said)
    report = audit_report(calibrate_held_out(machine, said), said)
    honest = result if calibration.method == "none" else _applied(calibration, result, ballots)
    return honest, Honesty(calibration, report)


def _applied(calibration: Calibration, result: MergeResult, ballots: Ballots) -> MergeResult:
    probabilities = calibration.apply(result.machine_probabilities, result.own_log_likelihood)
    known = np.array(list(ballots.votes.known), dtype=np.int64)
    probabilities[known] = result.subject_probabilities[known]
    items, shown = result.item_probabilities.copy(), ballots.votes.item_subject
    rows = np.flatnonzero(shown >= 0)
    pure = [ballots.votes.classes.index(name) for name in result.subject_classes]
    items[np.ix_(rows, np.array(pure))] = probabilities[shown[rows]]
    return replace(
        result,
        subject_probabilities=probabilities,
        label=probabilities.argmax(axis=1),
        entropy_bits=entropy_bits(probabilities),
        item_probabilities=items,
        item_entropy_bits=entropy_bits(items),
    )
