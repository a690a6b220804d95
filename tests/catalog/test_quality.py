"""A release tells how good it is, what it cost, and what counting makes of the same votes."""

import json
import random
from itertools import pairwise

import pytest
from astropy.io import fits
from django.urls import reverse

from protozoo.catalog.services import release_freeze
from protozoo.consensus.services import consensus_run
from protozoo.voting.models import Campaign, Item, Vote
from tests.factories import (
    CLASSES,
    make_campaign,
    make_consensus_run,
    make_release,
    make_sorting,
    make_volunteer,
    make_vote,
    make_votes,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign():
    """Make a closed campaign, so that nothing more is asked; its votes were merged twice."""
    campaign = make_campaign(
        title="Radio shapes", sorting=make_sorting(n_subjects=120), state=Campaign.State.CLOSED
    )
    for seed in (0, 1):
        vote_like_prototypes(campaign, seed=seed)
        consensus_run(campaign=campaign)
    return campaign


def vote_like_prototypes(campaign, *, seed):
    """Let three volunteers call four of five subjects what they call the prototype."""
    chance = random.Random(seed)
    home = dict(campaign.sorting.assignments.values_list("subject_id", "prototype_id"))
    votes = make_votes(campaign, n_volunteers=3, seed=seed)
    for vote in votes:
        prototype = vote.item.prototype_id or home[vote.item.subject_id]
        vote.answer = CLASSES[(prototype if chance.random() < 0.8 else prototype + 1) % 3]
    Vote.objects.bulk_update(votes, ["answer"])


@pytest.fixture
def release(campaign):
    return release_freeze(campaign=campaign)


def page(client, release):
    answer = client.get(reverse("release", args=[release.pk]))
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def readme(release):
    return (release.folder / "README.md").read_text()


def test_figures_are_those_of_the_audit(release):
    report = release.run.calibration["report"]
    quality = release.figures["quality"]
    assert report["n_informative"] > 0
    assert report["accuracy"]["value"] > 0.5
    for name in ("accuracy", "coverage", "calibration_error", "reliability", "n_informative"):
        assert quality[name] == report[name]
    assert list(quality["classes"]) == CLASSES
    assert quality["classes"]["bent"]["purity"] == report["purity"][CLASSES.index("bent")]
    place = CLASSES.index("bent")
    assert quality["classes"]["bent"]["completeness"] == report["completeness"][place]


def test_the_cost_curve_ends_at_the_release(release):
    curve = release.figures["cost_curve"]
    assert len(curve) == 2
    assert curve[-1]["run"] == release.run_id
    assert curve[-1]["votes_per_row"] == release.figures["votes_per_row"]
    assert curve[0]["votes_per_row"] == pytest.approx(curve[1]["votes_per_row"] / 2)
    assert curve[-1]["accuracy"] == release.figures["quality"]["accuracy"]


def test_a_later_merge_does_not_change_the_curve(release, campaign):
    vote_like_prototypes(campaign, seed=2)
    consensus_run(campaign=campaign)
    release.refresh_from_db()
    assert len(release.figures["cost_curve"]) == 2
    assert len(release_freeze(campaign=campaign).figures["cost_curve"]) == 3


def test_votes_are_told_by_kind_of_question(release):
    kinds = release.figures["kinds"]
    for kind, found in kinds.items():
        votes = Vote.objects.filter(item__kind=kind)
        assert found["n_votes"] == votes.count() > 0
        assert found["seconds"] == pytest.approx(sum(votes.values_list("seconds", flat=True)))
    assert set(kinds) == {Item.Kind.PROTOTYPE, Item.Kind.OUTLIER, Item.Kind.AUDIT}


def test_counting_is_told_with_its_price(release):
    copied = release.figures["baselines"]["copied"]
    on_prototypes = Vote.objects.filter(item__kind=Item.Kind.PROTOTYPE).count()
    assert copied["votes_per_row"] == pytest.approx(on_prototypes / copied["n_rows"])
    assert 0 < copied["n_rows"] <= 120
    assert copied["accuracy"]["low"] <= copied["accuracy"]["value"] <= copied["accuracy"]["high"]


def test_counting_that_labels_no_row_has_no_price():
    campaign = make_campaign()
    make_vote(campaign.items.filter(kind=Item.Kind.PROTOTYPE)[0], volunteer=make_volunteer())
    consensus_run(campaign=campaign)
    majority = release_freeze(campaign=campaign).figures["baselines"]["majority"]
    assert (majority["n_rows"], majority["votes_per_row"], majority["agreement"]) == (0, None, None)


def test_the_page_shows_quality_cost_and_counting(client, release):
    shown = page(client, release)
    for words in (
        "How good it is",
        "What it cost",
        "Beside plain counting",
        "Audit subject",
        "copied to its members",
        "probability claimed",
        "Right labels",
    ):
        assert words in shown
    accuracy = release.figures["quality"]["accuracy"]
    assert f"{accuracy['low']:.1%} to {accuracy['high']:.1%}" in shown
    assert shown.count("<svg") >= 2
    assert "style=" not in shown[shown.index("<main") :]


def test_the_readme_shows_quality_cost_and_counting(release):
    said = readme(release)
    accuracy = release.figures["quality"]["accuracy"]
    assert f"| accuracy: rows with the right label | {accuracy['value']:.3f} |" in said
    purity = release.figures["quality"]["classes"][CLASSES[0]]["purity"]
    assert f"| {CLASSES[0]} | {purity['value']:.3f} | {purity['low']:.3f} |" in said
    for words in (
        "## What it cost",
        "| audit subject |",
        "## What counting makes of the same votes",
    ):
        assert words in said
    assert "None" not in said
    assert json.loads((release.folder / "provenance.json").read_text())["figures"]["quality"]


def test_tables_of_the_readme_have_as_many_cells_in_each_row(release):
    lines = readme(release).splitlines()
    for line, after in pairwise(lines):
        if line.startswith("|") and after.startswith("|"):
            assert line.count("|") == after.count("|"), after


def test_headers_of_the_files_tell_the_accuracy(release):
    accuracy = release.figures["quality"]["accuracy"]
    history = "".join(fits.getheader(release.folder / "catalog.fits", 0)["HISTORY"])
    assert f"accuracy: {accuracy['value']:.3f} ({accuracy['low']:.3f}" in history
    assert f"votes_per_row: {release.figures['votes_per_row']:.3g}" in history


def test_without_audit_votes_nothing_is_claimed(client):
    campaign = make_campaign()
    make_vote(campaign.items.filter(kind=Item.Kind.PROTOTYPE)[0], volunteer=make_volunteer())
    consensus_run(campaign=campaign)
    release = release_freeze(campaign=campaign)
    assert release.figures["quality"] is None
    assert "How good it is" not in page(client, release)
    assert "Not known: no audit subject has votes that tell." in readme(release)
    assert "None" not in readme(release)


@pytest.mark.parametrize(
    "make", [make_release, lambda: release_freeze(campaign=make_consensus_run().campaign)]
)
def test_a_release_of_a_run_without_ledger_is_shown_too(client, make):
    shown = page(client, make())
    for words in ("How good it is", "What it cost", "Beside plain counting"):
        assert words not in shown
