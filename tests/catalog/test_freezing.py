"""Freezing a release: rows, versions, reviews, and what a crash leaves."""

import hashlib
import json

import numpy as np
import pytest

from protozoo.accounts.services import volunteer_credit
from protozoo.catalog import services
from protozoo.catalog.exceptions import NothingToReleaseError, ReleaseBusyError, ReleaseError
from protozoo.catalog.models import Entry, Release
from protozoo.catalog.selectors import releases
from protozoo.catalog.services import release_freeze
from protozoo.consensus.writing import KEPT_RUNS, runs_prune
from protozoo.voting.models import Item
from tests.factories import (
    CLASSES,
    make_campaign,
    make_consensus_run,
    make_review,
    make_sorting,
    make_subject,
    make_volunteer,
    make_vote,
    make_votes,
    make_williamina,
    probabilities,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign():
    campaign = make_campaign()
    make_votes(campaign, n_volunteers=2)
    make_consensus_run(campaign)
    return campaign


def test_a_release_has_one_row_for_every_subject(campaign):
    release = release_freeze(campaign=campaign, notes="The first.")
    assert release.frozen_at is not None
    assert release.version == 1
    assert release.n_rows == release.entries.count() == campaign.sorting.survey.subjects.count()
    assert list(releases()) == [release]


def test_a_row_carries_what_run_and_map_say(campaign):
    release = release_freeze(campaign=campaign)
    posterior = release.run.subjects.select_related("subject").last()
    assignment = campaign.sorting.assignments.get(subject=posterior.subject)
    entry = release.entries.get(subject=posterior.subject)
    assert entry.identifier == posterior.subject.identifier
    assert entry.healpix == posterior.subject.healpix
    assert (entry.label, entry.probability) == (posterior.label, posterior.probability)
    assert entry.source == "prototype"
    assert entry.n_votes == posterior.n_votes_prototype
    assert entry.outlier_score == assignment.outlier_score
    assert entry.is_flipped == assignment.is_flipped
    assert (entry.prototype_row, entry.prototype_column) == (
        assignment.prototype.row,
        assignment.prototype.column,
    )


def test_probabilities_sum_to_one(campaign):
    release = release_freeze(campaign=campaign)
    sums = [sum(entry.probabilities) for entry in release.entries.all()]
    assert sums == pytest.approx(np.ones(release.n_rows))


@pytest.mark.parametrize(
    ("weights", "source"),
    [
        ((0.6, 0.1, 0.1, 0.1, 0.1), "prototype"),
        ((0.1, 0.6, 0.1, 0.1, 0.1), "head"),
        ((0.1, 0.1, 0.6, 0.1, 0.1), "grid"),
        ((0.1, 0.1, 0.1, 0.6, 0.1), "direct"),
        ((0.1, 0.1, 0.1, 0.1, 0.6), "prior"),
        ((0.2, 0.2, 0.2, 0.2, 0.2), "direct"),
    ],
)
def test_the_heaviest_weight_names_the_source(campaign, weights, source):
    subject = campaign.consensus_runs.get().subjects.first()
    for name, weight in zip(("prototype", "head", "grid", "direct", "prior"), weights, strict=True):
        setattr(subject, f"weight_{name}", weight)
    subject.save()
    entry = release_freeze(campaign=campaign).entries.get(subject=subject.subject_id)
    assert entry.source == source
    assert (entry.weight_head, entry.weight_grid) == (subject.weight_head, subject.weight_grid)


def test_a_subject_that_nobody_knows_is_called_unknown(campaign):
    guessed, reviewed = campaign.consensus_runs.get().subjects.order_by("pk")[:2]
    for subject in (guessed, reviewed):
        subject.is_unknown = True
        subject.save()
    make_review(reviewed.subject, campaign=campaign, reviewer=make_williamina(), label="artefact")
    release = release_freeze(campaign=campaign)
    entry = release.entries.get(subject=guessed.subject_id)
    assert (entry.label, entry.is_unknown, entry.probability) == ("unknown", True, 0.0)
    assert entry.probabilities == guessed.probabilities
    told = release.entries.get(subject=reviewed.subject_id)
    assert (told.label, told.is_unknown, told.source) == ("artefact", False, "review")
    assert release.figures["n_unknown"] == 1
    assert sum(release.figures["class_counts"].values()) == 29


def test_an_unknown_row_is_not_counted_as_sure(campaign):
    run = campaign.consensus_runs.get()
    sure = [row for row in run.subjects.all() if max(row.probabilities) >= 0.9]
    assert sure
    run.subjects.filter(pk=sure[0].pk).update(is_unknown=True)
    release = release_freeze(campaign=campaign)
    assert release.figures["share_confident"] == pytest.approx((len(sure) - 1) / 30)


def test_the_newest_review_overrides_the_label(campaign):
    subject = campaign.sorting.survey.subjects.first()
    before = campaign.consensus_runs.get().subjects.get(subject=subject)
    williamina = make_williamina()
    make_review(subject, campaign=campaign, reviewer=williamina, label="bent")
    make_review(subject, campaign=campaign, reviewer=williamina, label="artefact")
    entry = release_freeze(campaign=campaign).entries.get(subject=subject)
    assert entry.label == "artefact"
    assert entry.source == "review"
    assert entry.probabilities == before.probabilities
    assert entry.probability == before.probabilities[CLASSES.index("artefact")]


def test_a_reviewed_label_that_is_no_class_has_probability_zero(campaign):
    subject = campaign.sorting.survey.subjects.first()
    make_review(subject, campaign=campaign, reviewer=make_williamina(), label="ring")
    release = release_freeze(campaign=campaign)
    entry = release.entries.get(subject=subject)
    assert (entry.label, entry.probability) == ("ring", 0.0)
    assert release.figures["class_counts"]["ring"] == 1


def test_a_review_of_another_campaign_changes_nothing(campaign):
    other = make_campaign(sorting=campaign.sorting)
    subject = campaign.sorting.survey.subjects.first()
    make_review(subject, campaign=other, reviewer=make_williamina(), label="artefact")
    assert release_freeze(campaign=campaign).entries.get(subject=subject).source != "review"


def test_freezing_twice_gives_the_same_release(campaign):
    first = release_freeze(campaign=campaign)
    bytes_before = (first.folder / "catalog.fits").read_bytes()
    assert release_freeze(campaign=campaign) == first
    assert Release.objects.count() == 1
    assert Entry.objects.count() == first.n_rows
    assert (first.folder / "catalog.fits").read_bytes() == bytes_before


def test_a_new_review_or_run_makes_the_next_version(campaign):
    first = release_freeze(campaign=campaign)
    subject = campaign.sorting.survey.subjects.first()
    make_review(subject, campaign=campaign, reviewer=make_williamina(), label="artefact")
    second = release_freeze(campaign=campaign)
    make_consensus_run(campaign)
    third = release_freeze(campaign=campaign)
    assert [first.version, second.version, third.version] == [1, 2, 3]
    assert first.entries.get(subject=subject).label != "artefact"
    assert third.entries.get(subject=subject).label == "artefact"


def test_versions_are_counted_for_each_campaign(campaign):
    release_freeze(campaign=campaign)
    other = make_consensus_run(make_campaign(sorting=campaign.sorting)).campaign
    assert release_freeze(campaign=other).version == 1


def test_a_campaign_without_consensus_is_refused():
    campaign = make_campaign(title="Rings")
    with pytest.raises(NothingToReleaseError, match="The votes of Rings were never merged"):
        release_freeze(campaign=campaign)
    assert not Release.objects.exists()


def test_a_run_that_misses_a_subject_is_refused(campaign):
    campaign.consensus_runs.get().subjects.first().delete()
    with pytest.raises(ReleaseError, match="knows 29 subjects and the map 30"):
        release_freeze(campaign=campaign)
    assert not Release.objects.exists()


def test_a_subject_without_a_place_on_the_map_is_named(campaign):
    run = campaign.consensus_runs.get()
    stranger = make_subject(survey=campaign.sorting.survey, identifier="stranger")
    run.subjects.filter(subject=run.subjects.last().subject_id).update(subject=stranger)
    with pytest.raises(ReleaseError, match=r"Subject stranger .* has no place"):
        release_freeze(campaign=campaign)


@pytest.mark.parametrize("values", [probabilities("bent")[:-1], [0.5] * 6, [float("nan")] * 6])
def test_probabilities_that_are_none_are_refused(campaign, values, monkeypatch):
    found = services.new_entries.__globals__["_posteriors"]

    def spoilt(release, last):
        rows = found(release, last)
        for row in rows[:1]:
            row.probabilities = values
        return rows

    monkeypatch.setitem(services.new_entries.__globals__, "_posteriors", spoilt)
    with pytest.raises(ReleaseError, match="with sum 1"):
        release_freeze(campaign=campaign)
    assert not Release.objects.exists()


@pytest.mark.parametrize(("n_merges", "is_frozen"), [(KEPT_RUNS - 1, True), (KEPT_RUNS, False)])
def test_a_run_that_is_cleared_away_meanwhile_is_not_frozen(campaign, n_merges, is_frozen):
    def report(done, total, message=""):
        if message == "writing catalog.csv":
            for _ in range(n_merges):
                make_consensus_run(campaign)
            runs_prune(campaign)

    if is_frozen:
        assert release_freeze(campaign=campaign, report=report).frozen_at is not None
    else:
        with pytest.raises(ReleaseError, match="is no longer kept"):
            release_freeze(campaign=campaign, report=report)
        assert not Release.objects.exists()
        assert not Entry.objects.exists()


@pytest.mark.parametrize("step", ["write_votable", "_list_files", "provenance_of"])
def test_a_crash_in_the_middle_leaves_nothing(campaign, storage, monkeypatch, step):
    def fail(*arguments, **named):
        raise RuntimeError("The disk is full.")

    with monkeypatch.context() as patched:
        patched.setattr(services, step, fail)
        with pytest.raises(RuntimeError, match="disk is full"):
            release_freeze(campaign=campaign)
    assert not Release.objects.exists()
    assert not Entry.objects.exists()
    assert [path.name for path in (storage / "releases" / campaign.slug).iterdir()] == [".lock"]
    assert release_freeze(campaign=campaign).version == 1


def test_what_a_killed_freezing_left_is_cleared_away(campaign, monkeypatch):
    """A kill runs no clean-up of its own: rows and both folders are still there."""
    frozen = release_freeze(campaign=campaign)
    make_consensus_run(campaign)
    with monkeypatch.context() as patched:
        patched.setattr(services, "_discard", lambda release: None)
        patched.setattr(services, "_list_files", lambda folder: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            release_freeze(campaign=campaign)
    left = Release.objects.get(frozen_at=None)
    left.folder.mkdir()
    assert left.entries.exists()
    assert list(releases()) == [frozen]

    second = release_freeze(campaign=campaign)
    assert second.version == 2
    assert not Release.objects.filter(frozen_at=None).exists()
    assert Entry.objects.count() == 2 * frozen.n_rows
    assert sorted(path.name for path in frozen.folder.parent.iterdir()) == [".lock", "v1", "v2"]


def test_a_frozen_release_is_never_cleared_away(campaign):
    release = release_freeze(campaign=campaign)
    with pytest.raises(ReleaseError, match="is frozen"):
        services._discard(release)
    assert release.entries.count() == release.n_rows
    assert (release.folder / "catalog.fits").exists()


def test_files_of_a_release_cannot_be_written(campaign):
    release = release_freeze(campaign=campaign)
    assert {path.stat().st_mode & 0o777 for path in release.folder.iterdir()} == {0o444}


def test_two_freezings_at_once_are_refused(campaign):
    with (
        services._only_freezer(campaign),
        pytest.raises(ReleaseBusyError, match="is being frozen already"),
    ):
        release_freeze(campaign=campaign)


def test_the_number_of_queries_does_not_grow_with_the_rows(django_assert_max_num_queries):
    small, large = (
        make_consensus_run(make_campaign(sorting=make_sorting(n_subjects=n))).campaign
        for n in (20, 400)
    )
    with django_assert_max_num_queries(60):
        release_freeze(campaign=small)
    # SQLite takes 999 values in a statement, so rows are inserted in several.
    with django_assert_max_num_queries(60 + 400 * 26 // 900):
        release_freeze(campaign=large)


def test_rows_in_many_batches_are_the_same_rows(campaign, monkeypatch):
    whole = release_freeze(campaign=campaign)
    make_consensus_run(campaign)
    monkeypatch.setitem(services.new_entries.__globals__, "BATCH_SIZE", 7)
    monkeypatch.setitem(services.read_records.__globals__, "BATCH_SIZE", 4)
    parts = release_freeze(campaign=campaign)
    csv = [(release.folder / "catalog.csv").read_bytes() for release in (whole, parts)]
    assert csv[0] == csv[1]


def test_progress_is_reported_and_a_cancel_leaves_nothing(campaign):
    told = []

    def report(done, total, message=""):
        told.append((done, total))
        if len(told) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        release_freeze(campaign=campaign, report=report)
    assert all(0 <= done <= total for done, total in told)
    assert not Release.objects.exists()


def test_a_cancel_after_the_last_step_leaves_the_release_whole(campaign):
    def report(done, total, message=""):
        if done == total:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        release_freeze(campaign=campaign, report=report)
    release = releases().get()
    assert release.entries.count() == release.n_rows
    assert (release.folder / "sha256sums.txt").exists()


def test_figures_count_votes_seconds_and_classes(campaign):
    release = release_freeze(campaign=campaign)
    run = release.run
    assert release.figures["votes_per_row"] == run.n_votes / 30
    assert release.figures["seconds_per_row"] == run.seconds_of_volunteers / 30
    assert sum(release.figures["class_counts"].values()) == 30
    assert list(release.figures["class_counts"]) == CLASSES
    assert release.figures["source_counts"] == {"prototype": 30}


def test_provenance_says_how_many_votes_are_simulated():
    campaign = make_campaign()
    item = campaign.items.all()[0]
    for volunteer in (make_volunteer(), make_volunteer(is_simulated=True)):
        make_vote(item, volunteer=volunteer)
    make_consensus_run(campaign)
    release = release_freeze(campaign=campaign)
    assert release.provenance["votes"] == {
        "n_votes": 2,
        "n_volunteers": 2,
        "n_simulated_votes": 1,
        "n_simulated_volunteers": 1,
        "simulated": "1 of the 2 votes are simulated, by 1 of the 2 volunteers.",
    }
    readme = (release.folder / "README.md").read_text()
    assert "**1 of the 2 votes are simulated, by 1 of the 2 volunteers.**" in readme


@pytest.mark.parametrize(
    ("is_simulated", "sentence"),
    [
        (True, "All votes are simulated: no person took part."),
        (False, "No vote is simulated: all come from people."),
    ],
)
def test_all_or_no_votes_simulated_is_said_plainly(is_simulated, sentence):
    campaign = make_campaign()
    make_vote(campaign.items.all()[0], volunteer=make_volunteer(is_simulated=is_simulated))
    make_consensus_run(campaign)
    assert sentence in (release_freeze(campaign=campaign).folder / "README.md").read_text()


def test_provenance_names_everything(campaign):
    survey = campaign.sorting.survey
    survey.import_runs.create(source={"images": "/home/edward/first/cutouts", "n_sigma": 5.0})
    release = release_freeze(campaign=campaign, notes="Trial.")
    said = json.loads((release.folder / "provenance.json").read_text())
    assert said == Release.objects.get(pk=release.pk).provenance
    assert said["survey"]["licence"] == "CC0"
    assert said["survey"]["imports"][0]["source"] == {"images": "cutouts", "n_sigma": 5.0}
    assert said["sorting"]["map_sha256"] == "0" * 64
    assert said["consensus"]["model"] == "dawid-skene-1"
    assert said["notes"] == "Trial."
    assert [column["name"] for column in said["columns"]][:4] == ["id", "ra", "dec", "label"]
    assert "/home/edward" not in (release.folder / "README.md").read_text()


def test_provenance_names_maps_of_single_prototypes(client, campaign):
    parent = campaign.sorting.prototypes.order_by("row", "column")[1]
    make_sorting(survey=campaign.sorting.survey, parent=parent)  # nothing of it is asked
    child = make_sorting(
        survey=campaign.sorting.survey, parent=parent, rows=2, columns=3, map_checksum="c" * 64
    )
    Item.objects.create(
        campaign=campaign, kind="prototype", prototype=child.prototypes.all()[0], order=0.5
    )
    make_consensus_run(campaign)
    release = release_freeze(campaign=campaign)
    (named,) = release.provenance["child_maps"]
    assert (named["prototype_row"], named["prototype_column"]) == (parent.row, parent.column)
    assert (named["id"], named["map_sha256"]) == (child.pk, "c" * 64)
    readme = (release.folder / "README.md").read_text()
    assert f"prototype {parent.row}, {parent.column} have a map of their own: 2 x 3" in readme
    shown = client.get(f"/releases/{release.pk}/").content.decode()
    assert "the members of 1 of them have a map of their own" in shown


def test_checksums_hold(campaign):
    release = release_freeze(campaign=campaign)
    lines = (release.folder / "sha256sums.txt").read_text().splitlines()
    named = dict(reversed(line.split("  ")) for line in lines)
    assert set(named) == {
        "README.md", "catalog.csv", "catalog.fits", "catalog.vot", "provenance.json",
    }  # fmt: skip
    for name, digest in named.items():
        assert hashlib.sha256((release.folder / name).read_bytes()).hexdigest() == digest
    listed = {file["name"]: file for file in release.files}
    assert set(listed) == {path.name for path in release.folder.iterdir()}
    assert all((release.folder / n).stat().st_size == f["bytes"] for n, f in listed.items())


def test_volunteers_are_thanked_in_a_release_if_they_wish(campaign):
    names = {"name": {"full_name": "Annie Jump Cannon"}, "nickname": {"nickname": "a computer"}}
    for credit, name in names.items():
        volunteer = make_volunteer()
        volunteer_credit(volunteer=volunteer, credit=credit, **name)
        make_vote(campaign.items.all()[0], volunteer=volunteer)
    idle, simulated = make_volunteer(), make_volunteer(is_simulated=True)
    volunteer_credit(volunteer=idle, credit="name", full_name="Edward")
    volunteer_credit(volunteer=simulated, credit="name", full_name="Hal")
    make_vote(campaign.items.all()[0], volunteer=simulated)
    make_consensus_run(campaign)
    release = release_freeze(campaign=campaign)
    assert release.provenance["thanks"] == ["a computer", "Annie Jump Cannon"]
    readme = (release.folder / "README.md").read_text()
    assert "by their own wish: a computer; Annie Jump Cannon." in readme


def test_a_release_names_nobody_who_did_not_wish_it(campaign):
    release = release_freeze(campaign=campaign)
    assert release.provenance["thanks"] == []
    assert "## Thanks" not in (release.folder / "README.md").read_text()
