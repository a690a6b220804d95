"""What a campaign's catalog has cost at each merge, and how good it was."""

import math
from collections.abc import Mapping
from typing import Any, Final, TypedDict

from protozoo.consensus.charts import EstimateChart, Estimated, cost_chart, reliability_chart
from protozoo.consensus.models import ConsensusRun

# Merges that a curve shows at most; of more, every second, third and so on is left out.
MOST_POINTS: Final = 60


class CostPoint(TypedDict):
    """One merge; the accuracy is that of rows that nobody looked at, None if unknown."""

    run: int
    votes_per_row: float
    seconds_per_row: float
    share_sure: float
    accuracy: Mapping[str, Any] | None


def cost_curve(run: ConsensusRun) -> list[CostPoint]:
    """Give the merges of a run's campaign up to it, the first one first."""
    earlier = ConsensusRun.objects.filter(
        campaign=run.campaign_id, pk__lte=run.pk, question=run.question_id
    )
    ledgers = earlier.order_by("pk").values_list("pk", "ledger")
    points = [_point(pk, ledger) for pk, ledger in ledgers if ledger]
    step = max(1, math.ceil(len(points) / MOST_POINTS))
    return points[::-1][::step][::-1]


def _point(pk: int, ledger: dict[str, Any]) -> CostPoint:
    return {
        "run": pk,
        "votes_per_row": ledger["votes_per_row"],
        "seconds_per_row": ledger["seconds_per_row"],
        "share_sure": ledger["share_sure"],
        "accuracy": ledger["accuracy"],
    }


def cost_curve_chart(points: list[CostPoint]) -> EstimateChart | None:
    """Draw accuracy over votes per row."""
    return cost_chart(
        [
            _estimated(point["votes_per_row"], point["accuracy"])
            for point in points
            if point["accuracy"] is not None
        ]
    )


def calibration_chart(report: Mapping[str, Any] | None) -> EstimateChart | None:
    """Draw the reliability diagram of an audit report."""
    bins = report["reliability"] if report else []
    return reliability_chart([_estimated(one["probability"], one["accuracy"]) for one in bins])


def _estimated(x: float, estimate: Mapping[str, Any]) -> Estimated:
    return Estimated(x, estimate["value"], estimate["low"], estimate["high"])
