"""The audit sample makes probabilities honest and tells how good they are."""

import numpy as np
import pytest

from protozoo.consensus import honesty
from protozoo.consensus.models import SubjectPosterior
from protozoo.consensus.services import consensus_run
from skysort.consensus.calibration import Calibration
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign():
    campaign = factories.make_campaign(sorting=factories.make_sorting(n_subjects=60, n_audit=12))
    factories.make_votes(campaign, n_volunteers=4, seed=3)
    return campaign


@pytest.fixture
def cooled(monkeypatch):
    """Pretend that the audit has found the machine to boast."""
    found = Calibration("temperature", temperature=2.0)
    monkeypatch.setattr(honesty, "fit_calibration", lambda *_: found)


def rows(run):
    found = SubjectPosterior.objects.filter(run=run).order_by("subject_id")
    return {row.subject_id: np.array(row.probabilities) for row in found}


def test_a_run_tells_how_good_it_is(campaign):
    run = consensus_run(campaign=campaign)
    assert run.calibration["calibration"]["method"] == "none"
    report = run.calibration["report"]
    assert report["n_rows"] == report["n_informative"] == 12
    assert len(report["purity"]) == len(run.classes)
    accuracy = run.ledger["accuracy"]
    assert accuracy == report["accuracy"]
    assert 0.0 <= accuracy["low"] <= accuracy["value"] <= accuracy["high"] <= 1.0


def test_a_ledger_counts_votes_and_seconds_by_kind(campaign):
    run = consensus_run(campaign=campaign)
    kinds = run.ledger["kinds"]
    assert set(kinds) == {"prototype", "outlier", "audit"}
    assert sum(kind["n_votes"] for kind in kinds.values()) == run.n_votes
    seconds = sum(kind["seconds"] for kind in kinds.values())
    assert seconds == pytest.approx(run.seconds_of_volunteers)
    assert run.ledger["votes_per_row"] == pytest.approx(run.n_votes / 60)
    assert run.ledger["seconds_per_row"] == pytest.approx(seconds / 60)
    assert run.ledger["share_looked_at"] == pytest.approx(15 / 60)


def test_without_an_audit_sample_nothing_is_known():
    campaign = factories.make_campaign(sorting=factories.make_sorting(n_audit=0))
    factories.make_votes(campaign)
    run = consensus_run(campaign=campaign)
    assert run.calibration["report"] is None
    assert run.ledger["accuracy"] is None


def test_only_the_machines_word_is_calibrated(campaign, cooled, monkeypatch):
    gold = factories.make_single(campaign, "gold", label="bent")
    cool = consensus_run(campaign=campaign)
    monkeypatch.setattr(honesty, "fit_calibration", lambda *_: Calibration())
    plain = consensus_run(campaign=campaign, is_fresh=True)
    before, after = rows(plain), rows(cool)
    outliers = set(campaign.items.filter(kind="outlier").values_list("subject_id", flat=True))
    audit = set(campaign.items.filter(kind="audit").values_list("subject_id", flat=True))
    for key in before.keys() - outliers - audit - {gold.subject_id}:
        weight = np.sqrt(before[key])
        np.testing.assert_allclose(after[key], weight / weight.sum(), atol=1e-6)
    for key in outliers:
        weight = np.sqrt(before[key])
        assert after[key].max() > (weight / weight.sum()).max()
    np.testing.assert_allclose(after[gold.subject_id], before[gold.subject_id])
    kept = SubjectPosterior.objects.get(run=cool, subject=gold.subject)
    assert kept.label == "bent"
