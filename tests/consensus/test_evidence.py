"""Grids, known subjects and features speak for the catalog beside votes on prototypes."""

import numpy as np
import pytest

from protozoo.consensus.ballots import ballots_read, places_read
from protozoo.consensus.models import SubjectPosterior, VolunteerPosterior
from protozoo.consensus.services import consensus_run
from protozoo.sorting.selectors import subjects_in_shard_order
from protozoo.voting.models import Item, Vote
from protozoo.voting.selectors import question_newest
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign():
    return factories.make_campaign(sorting=factories.make_sorting(n_subjects=60))


def grid_vote(grid, ticked=(), *, verdict="sorted", volunteer=None, seconds=12.0):
    return factories.make_vote(
        item=grid, volunteer=volunteer, answer=verdict, path=[], ticked=list(ticked),
        seconds=seconds,
    )  # fmt: skip


def row_of(run, subject):
    return SubjectPosterior.objects.get(run=run, subject=subject)


def read(campaign):
    nobody = np.empty(0, dtype=np.int64)
    return ballots_read(campaign, question_newest(campaign), places_read(campaign), earlier=nobody)


def test_grid_answers_become_one_judgment_for_each_member(campaign):
    grid = factories.make_grid(campaign, label="frii")
    members = [member.subject_id for member in grid.members.all()]
    vote = grid_vote(grid, members[:2])
    grid_vote(grid, verdict="too_mixed")
    ballots = read(campaign)
    grids = ballots.votes.grids
    assert len(grids.subject) == len(members)
    shown = places_read(campaign).subjects[grids.subject].tolist()
    assert shown == members
    assert grids.ticked.tolist() == [True, True] + [False] * (len(members) - 2)
    assert {ballots.votes.classes[label] for label in grids.label} == {"frii"}
    assert {ballots.volunteers[w] for w in grids.worker} == {vote.volunteer_id}
    assert (ballots.n_votes, ballots.seconds) == (2, 24.0)
    assert ballots.last_vote_id == Vote.objects.latest("pk").pk


def test_superseded_grid_votes_and_grids_of_gone_classes_do_not_count(campaign):
    vote = grid_vote(factories.make_grid(campaign))
    vote.superseded_at = vote.received_at
    vote.save()
    grid_vote(factories.make_grid(campaign, label="spiral"))
    assert read(campaign).n_votes == 0


def test_passes_and_ticks_part_the_members_of_a_grid(campaign):
    grid = factories.make_grid(campaign, label="frii")
    members = [member.subject_id for member in grid.members.all()]
    prototype = campaign.items.get(kind=Item.Kind.PROTOTYPE, prototype=grid.prototype)
    for _ in range(4):
        volunteer = factories.make_volunteer()
        factories.make_vote(item=prototype, volunteer=volunteer, answer="frii")
        grid_vote(grid, members[:1], volunteer=volunteer)
    run = consensus_run(campaign=campaign)
    ticked, passed = row_of(run, members[0]), row_of(run, members[1])
    frii = run.classes.index("frii")
    assert ticked.probabilities[frii] < 0.3 < 0.9 < passed.probabilities[frii]
    assert (passed.n_votes_prototype, passed.n_votes_grid, passed.n_votes_direct) == (4, 4, 0)
    assert passed.n_volunteers == 4
    assert passed.weight_grid > 0.0 == passed.weight_direct
    assert 0.5 < passed.reliability < 1.0
    assert run.n_votes == 8


def test_volunteers_get_the_rates_of_their_ticks(campaign):
    grid = factories.make_grid(campaign, label="frii")
    members = [member.subject_id for member in grid.members.all()]
    careful, careless = factories.make_volunteer(), factories.make_volunteer()
    prototype = campaign.items.get(kind=Item.Kind.PROTOTYPE, prototype=grid.prototype)
    for _ in range(6):
        factories.make_vote(item=prototype, answer="frii")
    grid_vote(grid, [], volunteer=careful)
    grid_vote(grid, members, volunteer=careless)
    consensus_run(campaign=campaign)
    rows = {row.volunteer_id: row for row in VolunteerPosterior.objects.all()}
    assert rows[careful.pk].n_judgments == len(members)
    assert rows[careful.pk].ticks_members < rows[careless.pk].ticks_members
    bystander = next(key for key in rows if key not in {careful.pk, careless.pk})
    assert rows[bystander].ticks_members is None
    assert rows[bystander].n_judgments == 0


def test_a_known_subject_has_its_class_and_a_corrected_one_is_merged_anew(campaign):
    gold = factories.make_single(campaign, "gold", label="bent")
    factories.make_votes(campaign)
    run = consensus_run(campaign=campaign)
    assert row_of(run, gold.subject).label == "bent"
    assert row_of(run, gold.subject).probability > 0.999
    gold.label = "fri"
    gold.save()
    again = consensus_run(campaign=campaign)
    assert again.pk != run.pk
    assert row_of(again, gold.subject).label == "fri"


def test_features_carry_labels_to_subjects_that_look_alike_anywhere(campaign):
    """Prototypes have no votes; every other subject is voted on and lies in one of two clumps."""
    sorting = campaign.sorting
    keys = subjects_in_shard_order(sorting)
    clump = np.arange(len(keys)) // 2 % 2
    sorting.folder.mkdir(parents=True)
    noise = np.random.default_rng(1).normal(0.0, 0.05, (len(keys), 2))
    np.save(sorting.features_path, (np.eye(2)[clump] + noise).astype(np.float32))
    campaign.items.all().delete()
    classes = ["compact", "bent"]
    for place in range(0, len(keys), 2):
        subject = sorting.survey.subjects.get(pk=keys[place])
        if not subject.is_audit:
            item = factories.make_single(campaign, "subject", subject)
            for _ in range(4):
                factories.make_vote(item=item, answer=classes[clump[place]])
    run = consensus_run(campaign=campaign)
    untouched = run.subjects.filter(n_votes_direct=0, subject__is_audit=False)
    labels = dict(untouched.values_list("subject_id", "label"))
    truth = {key: classes[clump[place]] for place, key in enumerate(keys.tolist())}
    right = np.mean([label == truth[key] for key, label in labels.items()])
    assert len(labels) > 25
    assert right > 0.9
    assert np.median(untouched.values_list("weight_head", flat=True)) > 0.2


def test_what_no_prototype_resembles_and_nobody_judged_is_unknown(campaign):
    stray = campaign.sorting.assignments.filter(subject__is_audit=False).last()
    campaign.items.filter(subject=stray.subject).delete()
    stray.distance, stray.second_distance = 900.0, 901.0
    stray.save()
    factories.make_votes(campaign)
    run = consensus_run(campaign=campaign)
    assert list(run.subjects.filter(is_unknown=True)) == [row_of(run, stray.subject)]
    assert sum(row_of(run, stray.subject).probabilities) == pytest.approx(1.0)
