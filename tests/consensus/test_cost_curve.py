"""The cost curve of a campaign: what each merge has cost, and how good it was."""

import pytest

from protozoo.consensus import cost_curve as module
from protozoo.consensus.cost_curve import calibration_chart, cost_curve, cost_curve_chart
from tests.factories import make_campaign, make_consensus_run

pytestmark = pytest.mark.django_db


def ledger(votes_per_row, value=None):
    limits = {"low": (value or 0) - 0.1, "high": (value or 0) + 0.05}
    return {
        "votes_per_row": votes_per_row,
        "seconds_per_row": 4 * votes_per_row,
        "share_sure": 0.5,
        "accuracy": None if value is None else {"value": value, **limits},
    }


@pytest.fixture
def runs():
    campaign = make_campaign()
    ledgers = [{}, ledger(0.2), ledger(0.5, 0.7), ledger(1.0, 0.8), ledger(1.5, 0.85)]
    return [make_consensus_run(campaign, ledger=one) for one in ledgers]


def test_it_goes_up_to_the_run_and_leaves_out_those_without_a_ledger(runs):
    make_consensus_run(ledger=ledger(9.0, 0.1))
    points = cost_curve(runs[3])
    assert [point["run"] for point in points] == [run.pk for run in runs[1:4]]
    assert [point["votes_per_row"] for point in points] == [0.2, 0.5, 1.0]
    assert points[0]["accuracy"] is None
    assert cost_curve(runs[0]) == []


def test_of_many_merges_some_are_left_out_but_never_the_last(runs, monkeypatch):
    monkeypatch.setattr(module, "MOST_POINTS", 2)
    assert [point["run"] for point in cost_curve(runs[4])] == [runs[2].pk, runs[4].pk]


def test_only_merges_whose_accuracy_is_known_are_drawn(runs):
    chart = cost_curve_chart(cost_curve(runs[4]))
    assert [row.x for row in chart.rows] == [0.5, 1.0, 1.5]
    assert cost_curve_chart(cost_curve(runs[2])) is None


def test_a_reliability_diagram_draws_what_the_audit_found():
    accuracy = {"value": 0.6, "low": 0.5, "high": 0.7}
    chart = calibration_chart({"reliability": [{"probability": 0.8, "accuracy": accuracy}]})
    assert [(row.x, row.value, row.low, row.high) for row in chart.rows] == [(0.8, 0.6, 0.5, 0.7)]
    assert calibration_chart(None) is None
    assert calibration_chart({"reliability": []}) is None
