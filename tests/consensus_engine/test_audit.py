"""The audit's figures are unbiased, and their limits cover, though nobody knows the truth."""

import json
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skysort.consensus.accuracy import score, wilson_interval
from skysort.consensus.audit import audit_report
from skysort.errors import InputError
from tests.consensus_engine.audits import certain, make_audit


def figures(report):
    return [
        report.accuracy,
        *report.purity,
        *report.completeness,
        report.coverage,
        report.accuracy_covered,
    ]


def make_catalog(boast):
    """All rows that audits are drawn from."""
    return make_audit(123, 60000, boast=boast, n_votes=(0, 1))


def true_figures(boast):
    """The same of a whole catalog, from the honest probabilities."""
    catalog = make_catalog(boast)
    label, claimed = catalog.said.argmax(axis=1), catalog.said.max(axis=1)
    right = catalog.honest.max(axis=1)
    hits = np.bincount(label, weights=right)
    sure = claimed >= 0.9
    return [
        right.mean(),
        *(hits / np.bincount(label)),
        *(hits / catalog.honest.sum(axis=0)),
        sure.mean(),
        right[sure].mean(),
    ]


def true_error(catalog, bins):
    """Calibration error of a whole catalog in the bins of a report."""
    claimed, right = catalog.said.max(axis=1), catalog.honest.max(axis=1)
    edges = [(lower.high + upper.low) / 2 for lower, upper in pairwise(bins)]
    place = np.searchsorted(edges, claimed)
    return np.abs(np.bincount(place, right - claimed)).sum() / len(claimed)


def simulate(boast, n_rows, n_times, *, n_votes=(2, 5), n_bootstrap=60):
    for seed in range(n_times):
        audit = make_audit(seed, n_rows, boast=boast, n_votes=n_votes)
        yield audit, audit_report(audit.said, audit.log_likelihood, n_bootstrap=n_bootstrap)


def test_certain_votes_give_the_figures_of_known_truth():
    audit = make_audit(1, 400, boast=1.5)
    report = audit_report(audit.said, certain(audit.truth), n_bootstrap=400)
    known = score(audit.said, audit.truth)
    assert report.accuracy.value == pytest.approx(known.accuracy.value, abs=1e-3)
    assert report.coverage.value == pytest.approx(known.coverage)
    assert report.accuracy_covered.value == pytest.approx(known.accuracy_covered.value, abs=1e-3)
    for found, truth in [
        *zip(report.purity, known.purity, strict=True),
        *zip(report.completeness, known.completeness, strict=True),
    ]:
        assert found.value == pytest.approx(truth, abs=1e-3)
    assert report.accuracy.low == pytest.approx(known.accuracy.low, abs=0.01)
    assert report.accuracy.high == pytest.approx(known.accuracy.high, abs=0.01)
    assert report.accuracy.n_effective == pytest.approx(400, rel=0.1)


@pytest.mark.parametrize("boast", [1.0, 2.0])
def test_figures_are_unbiased_and_their_limits_cover(boast):
    truth = true_figures(boast)
    runs = [figures(report) for _, report in simulate(boast, 200, 40)]
    value = np.array([[share.value for share in run] for run in runs])
    covered = [[s.low <= t <= s.high for s, t in zip(run, truth, strict=True)] for run in runs]
    noise = value.std(axis=0) / math.sqrt(len(runs))
    assert (np.abs(value.mean(axis=0) - truth) < 3 * noise + 0.01).all()
    assert np.mean(covered) > 0.93
    assert np.mean(covered, axis=0).min() >= 0.85


def test_majorities_taken_for_truth_would_be_biased():
    truth = true_figures(1.0)
    counted, ours = [], []
    for audit, report in simulate(1.0, 400, 10, n_votes=(3, 3), n_bootstrap=2):
        majority = audit.log_likelihood.argmax(axis=1)
        counted.append(np.mean(majority == audit.said.argmax(axis=1)))
        ours.append(report.accuracy.value)
    assert np.mean(counted) < truth[0] - 0.05
    assert np.mean(ours) == pytest.approx(truth[0], abs=0.025)


def test_single_votes_suffice():
    truth = true_figures(1.0)
    runs = [r.accuracy for _, r in simulate(1.0, 250, 20, n_votes=(1, 1), n_bootstrap=30)]
    assert np.mean([run.value for run in runs]) == pytest.approx(truth[0], abs=0.025)
    assert np.mean([run.low <= truth[0] <= run.high for run in runs]) > 0.85


def test_limits_are_wider_the_less_people_know():
    width = []
    for n_votes in [(5, 5), (3, 3), (1, 1)]:
        audit = make_audit(2, 300, n_votes=n_votes)
        accuracy = audit_report(audit.said, audit.log_likelihood).accuracy
        width.append(accuracy.high - accuracy.low)
        assert accuracy.n_rows == 300
    assert accuracy.n_effective < 150
    assert width == sorted(width)
    assert width[2] > 1.4 * width[0]


def test_where_all_rows_look_right_the_limit_is_not_one():
    report = audit_report(np.tile([0.97, 0.03], (30, 1)), certain([0] * 30, 2))
    exact = wilson_interval(30, 30)
    assert report.accuracy.value == pytest.approx(1.0, abs=1e-3)
    assert report.accuracy.low == pytest.approx(exact.low, abs=0.01)
    votes = np.log([[0.75, 0.25]]).repeat(30, axis=0)
    noisy = audit_report(np.tile([0.97, 0.03], (30, 1)), votes).accuracy
    assert noisy.value > 0.95
    assert noisy.low < exact.low - 0.02


def test_rows_drawn_unevenly_count_by_their_weights():
    truth = true_figures(1.5)
    covered, values, unweighted = [], [], []
    for seed in range(20):
        audit = make_audit(seed, 900, boast=1.5)
        chance = np.where(audit.said.max(axis=1) < 0.8, 0.5, 0.1)
        drawn = np.random.default_rng(seed).random(900) < chance
        said, votes = audit.said[drawn], audit.log_likelihood[drawn]
        run = figures(audit_report(said, votes, 1 / chance[drawn], n_bootstrap=40))
        values.append([share.value for share in run])
        covered.append([s.low <= t <= s.high for s, t in zip(run, truth, strict=True)])
        unweighted.append(audit_report(said, votes, n_bootstrap=2).accuracy.value)
    noise = np.std(values, axis=0) / math.sqrt(len(values))
    assert (np.abs(np.mean(values, axis=0) - truth) < 3 * noise + 0.01).all()
    assert np.mean(covered) > 0.92
    assert np.mean(unweighted) < truth[0] - 0.05


def test_calibration_error_of_an_honest_machine_may_be_none():
    errors = [report.calibration_error for _, report in simulate(1.0, 200, 30)]
    assert np.mean([error.low == 0.0 for error in errors]) > 0.9
    plain, chance = np.mean([e.value for e in errors]), np.mean([e.by_chance for e in errors])
    assert plain == pytest.approx(chance, rel=0.25)
    assert plain > 0.04
    assert np.mean([error.corrected for error in errors]) < 0.45 * plain


def test_calibration_error_of_a_boaster_lies_within_its_limits():
    catalog = make_catalog(2.0)
    reports = [report for _, report in simulate(2.0, 240, 40)]
    errors = [report.calibration_error for report in reports]
    truth = [true_error(catalog, report.reliability) for report in reports]
    pairs = list(zip(errors, truth, strict=True))
    assert np.mean([error.low <= true <= error.high for error, true in pairs]) > 0.85
    assert np.mean([error.low > 0.02 for error in errors]) > 0.8
    assert np.mean([error.corrected for error in errors]) == pytest.approx(np.mean(truth), abs=0.03)


def test_bins_part_all_rows_and_never_equal_probabilities():
    audit = make_audit(3, 300)
    said = np.round(audit.said, 1)
    said = np.where(said.sum(axis=1, keepdims=True) == 1.0, said, audit.said)
    bins = audit_report(said, audit.log_likelihood, n_bins=7, n_bootstrap=2).reliability
    assert sum(b.share for b in bins) == pytest.approx(1.0)
    assert sum(b.accuracy.n_rows for b in bins) == 300
    for lower, upper in pairwise(bins):
        assert lower.low <= lower.probability <= lower.high < upper.low


def test_without_votes_nothing_is_known_but_the_coverage():
    said = np.array([[0.95, 0.05], [0.6, 0.4]])
    report = audit_report(said, np.full((2, 2), -4.0))
    assert (report.n_rows, report.n_informative, report.reliability) == (2, 0, ())
    assert math.isnan(report.accuracy.value)
    assert (report.accuracy.low, report.accuracy.high) == (0.0, 1.0)
    assert report.coverage.value == 0.5
    record = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert record["accuracy"]["value"] is None
    assert record["calibration_error"] == {
        "value": None,
        "by_chance": None,
        "corrected": None,
        "low": 0.0,
        "high": 1.0,
    }


def test_a_class_that_is_never_named_has_no_purity():
    said = np.tile([0.7, 0.2, 0.1], (40, 1))
    report = audit_report(said, certain([0] * 30 + [1] * 10, 3))
    assert report.purity[0].value == pytest.approx(0.75, abs=1e-3)
    assert [math.isnan(p.value) for p in report.purity] == [False, True, True]
    assert report.completeness[0].value == pytest.approx(1.0)
    assert report.completeness[1].value == pytest.approx(0.0, abs=1e-3)
    assert report.completeness[1].high < 0.35


def test_rows_without_votes_change_only_the_coverage():
    audit = make_audit(4, 150)
    said = np.vstack([audit.said, np.tile([0.97, 0.01, 0.01, 0.01], (50, 1))])
    votes = np.vstack([audit.log_likelihood, np.zeros((50, 4))])
    alone = audit_report(audit.said, audit.log_likelihood)
    more = audit_report(said, votes)
    assert (more.accuracy, more.purity) == (alone.accuracy, alone.purity)
    assert more.coverage.value > alone.coverage.value
    assert (more.n_rows, more.n_informative) == (200, 150)


@given(seed=st.integers(0, 10**6), order=st.permutations(range(4)))
@settings(max_examples=8, deadline=None)
def test_other_names_of_classes_rename_the_figures(seed, order):
    audit = make_audit(seed, 80)
    plain = audit_report(audit.said, audit.log_likelihood, n_bootstrap=10)
    named = audit_report(audit.said[:, order], audit.log_likelihood[:, order], n_bootstrap=10)
    assert named.accuracy.value == pytest.approx(plain.accuracy.value, abs=1e-6)
    assert named.accuracy.low == pytest.approx(plain.accuracy.low, abs=1e-6)
    for c, k in enumerate(order):
        assert named.purity[c].value == pytest.approx(plain.purity[k].value, abs=1e-6, nan_ok=True)
        assert named.completeness[c].high == pytest.approx(plain.completeness[k].high, abs=1e-6)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=8, deadline=None)
def test_every_share_lies_within_its_limits(seed):
    rng = np.random.default_rng(seed)
    audit = make_audit(seed, int(rng.integers(1, 60)), boast=3.0, n_votes=(0, 3))
    report = audit_report(audit.said, audit.log_likelihood, rng.uniform(0.1, 9, len(audit.said)))
    for share in [*figures(report), *(b.accuracy for b in report.reliability)]:
        assert 0.0 <= share.low <= share.high <= 1.0
        assert math.isnan(share.value) or share.low - 1e-9 <= share.value <= share.high + 1e-9
    json.dumps(report.to_dict(), allow_nan=False)


def test_the_same_seed_gives_the_same_report():
    audit = make_audit(5, 60)
    first, again, other = (
        audit_report(audit.said, audit.log_likelihood, seed=seed) for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_bins": 0}, "n_bins must be at least 1, got 0"),
        ({"n_bootstrap": 1}, "n_bootstrap must be at least 2, got 1"),
        ({"confidence": 1.0}, "confidence must lie between 0 and 1, got 1.0"),
        ({"weights": [-1.0]}, "weights must be 1 numbers above 0"),
    ],
)
def test_refuses_what_makes_no_sense(arguments, message):
    with pytest.raises(InputError, match=message):
        audit_report([[0.5, 0.5]], [[0.0, -1.0]], **arguments)


def test_refuses_an_audit_without_rows():
    with pytest.raises(InputError, match="an audit needs at least one row"):
        audit_report(np.empty((0, 2)), np.empty((0, 2)))
