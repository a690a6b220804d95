"""A run appears when its last row stands; what a killed one has left is replaced."""

import fcntl

import numpy as np
import pytest

from protozoo.consensus import services, writing
from protozoo.consensus.exceptions import MergeBusyError
from protozoo.consensus.models import ConsensusRun, SubjectPosterior, VolunteerPosterior
from protozoo.consensus.selectors import opinion_of, standing_of
from protozoo.consensus.services import consensus_run
from protozoo.consensus.state import merge_folder
from skysort.consensus import merge as engine
from tests import factories

pytestmark = pytest.mark.django_db


class StopError(Exception):
    pass


@pytest.fixture
def campaign():
    campaign = factories.make_campaign()
    factories.make_votes(campaign, n_volunteers=5, seed=3)
    return campaign


def stop_in_the_middle(done, total, message=""):
    if total and done > total - 10:
        raise StopError


def rows_of(run):
    rows = run.subjects.order_by("subject_id")
    return np.array([row.probabilities for row in rows])


def vote_again(campaign):
    return factories.make_vote(item=campaign.items.first(), volunteer=factories.make_volunteer())


def test_a_killed_run_is_invisible_and_the_next_one_replaces_it(campaign, monkeypatch):
    monkeypatch.setattr(writing, "BATCH_SIZE", 7)
    with pytest.raises(StopError):
        consensus_run(campaign=campaign, report=stop_in_the_middle)
    subject = campaign.sorting.assignments.first().subject
    assert SubjectPosterior.objects.exists()
    assert not ConsensusRun.objects.exists()
    assert opinion_of(campaign.sorting).run is None
    assert standing_of(subject).posterior is None
    run = consensus_run(campaign=campaign)
    assert ConsensusRun.all_runs.get() == run
    assert run.subjects.count() == campaign.sorting.n_subjects == SubjectPosterior.objects.count()
    assert standing_of(subject).posterior.run == run


def test_small_pieces_write_the_same_rows(campaign, monkeypatch):
    whole = rows_of(consensus_run(campaign=campaign))
    monkeypatch.setattr(writing, "BATCH_SIZE", 4)
    pieces = rows_of(consensus_run(campaign=campaign, is_fresh=True))
    np.testing.assert_array_equal(pieces, whole)


def test_progress_ends_at_the_last_row(campaign):
    seen = []
    consensus_run(campaign=campaign, report=lambda *said: seen.append(said))
    assert [said[2] for said in seen[:2]] == [
        "reading votes",
        f"merging {_n_votes(campaign)} votes",
    ]
    assert seen[-1][0] == seen[-1][1] > campaign.sorting.n_subjects


def test_a_second_merge_at_the_same_time_is_refused(campaign):
    folder = merge_folder(campaign)
    folder.mkdir(parents=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(MergeBusyError, match="are being merged already"):
            consensus_run(campaign=campaign)
    assert consensus_run(campaign=campaign).n_votes == _n_votes(campaign)


def test_a_refit_goes_on_from_the_last_one_and_finds_the_same(campaign, monkeypatch):
    starts = []

    def merge(*tables, start, **options):
        starts.append(start)
        return engine.merge(*tables, start=start, **options)

    monkeypatch.setattr(services, "merge", merge)
    consensus_run(campaign=campaign)
    vote_again(campaign)
    onward = consensus_run(campaign=campaign)
    fresh = consensus_run(campaign=campaign, is_fresh=True)
    assert [start is None for start in starts] == [True, False, True]
    assert starts[1].fit.confusion.shape[1] == 5
    np.testing.assert_allclose(rows_of(onward), rows_of(fresh), atol=0.02)


def test_volunteers_keep_their_matrices_whoever_joins():
    """The newcomer's key comes before those of all others."""
    newcomer = factories.make_volunteer()
    campaign = factories.make_campaign()
    factories.make_votes(campaign, n_volunteers=5, seed=3)
    consensus_run(campaign=campaign)
    for item in campaign.items.all():
        factories.make_vote(item=item, volunteer=newcomer, answer="other")
    onward = consensus_run(campaign=campaign)
    fresh = consensus_run(campaign=campaign, is_fresh=True)
    agreements = [
        dict(VolunteerPosterior.objects.filter(run=run).values_list("volunteer", "agreement"))
        for run in (onward, fresh)
    ]
    assert agreements[0] == pytest.approx(agreements[1], abs=0.02)


@pytest.mark.parametrize("n_bytes", [0, 4, 100, -10])
def test_a_damaged_state_costs_nothing_but_time(campaign, caplog, n_bytes):
    first = consensus_run(campaign=campaign)
    state = merge_folder(campaign) / "state.npz"
    state.write_bytes(state.read_bytes()[:n_bytes])
    vote_again(campaign)
    second = consensus_run(campaign=campaign)
    assert second.n_votes == first.n_votes + 1
    assert "cannot be read, so the merge begins afresh" in caplog.text


def test_of_old_runs_the_figures_stay_and_the_rows_go(campaign):
    runs = [consensus_run(campaign=campaign)]
    for _ in range(writing.KEPT_RUNS):
        vote_again(campaign)
        runs.append(consensus_run(campaign=campaign))
    assert ConsensusRun.objects.count() == writing.KEPT_RUNS + 1
    n = [run.subjects.count() for run in runs]
    assert n == [0] + [campaign.sorting.n_subjects] * writing.KEPT_RUNS
    assert not runs[0].items.exists()
    assert not runs[0].volunteers.exists()


def _n_votes(campaign):
    return sum(campaign.items.values_list("n_votes", flat=True))
