"""One vote changes what is believed at once, and the next run finds nearly the same."""

import uuid

import numpy as np
import pytest
from django.db import transaction
from django.utils import timezone

from protozoo.consensus.models import AskingPlan, ItemBelief, SubjectPosterior, VolunteerBelief
from protozoo.consensus.online import KEPT_STEPS
from protozoo.consensus.services import consensus_run
from protozoo.voting.models import Item, Vote
from protozoo.voting.trees import default_tree, tree_path
from protozoo.voting.votes import GridAnswer, vote_record
from skysort.consensus.online import ItemState
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign():
    sorting = factories.make_sorting(n_subjects=60)
    campaign = factories.make_campaign(sorting=sorting, votes_to_retire=30, votes_cap=30)
    # So that the queue stays as the test has made it.
    AskingPlan.objects.create(campaign=campaign, sure=0.999999, n_questions=0, least_gain=0.0)
    factories.make_votes(campaign, n_volunteers=4, seed=3)
    return campaign


def vote(item, answer="frii", volunteer=None, *, ticked=None, former=None, verdict="sorted"):
    grid = None if ticked is None else GridAnswer(verdict, ticked)
    return vote_record(
        volunteer=volunteer or factories.make_volunteer(),
        item_id=item.pk,
        question_version=1,
        path=[] if grid else tree_path(default_tree(), answer),
        grid=grid,
        client_uuid=uuid.uuid4(),
        seconds=3.0,
        answered_at=timezone.now(),
        supersedes=former and former.client_uuid,
    )[0]


def belief(**of):
    return ItemState.from_json(ItemBelief.objects.get(**of).state).probabilities


def test_beliefs_begin_with_what_the_run_says(campaign):
    run = consensus_run(campaign=campaign)
    classes = run.online["classes"]
    for row in run.items.filter(item__kind="prototype").select_related("item"):
        found = dict(zip(classes, belief(run=run, prototype=row.item.prototype_id), strict=True))
        assert found == pytest.approx(row.probabilities, abs=1e-6)
    outlier = campaign.items.filter(kind="outlier").first()
    row = SubjectPosterior.objects.get(run=run, subject=outlier.subject)
    pure = [classes.index(name) for name in run.classes]
    np.testing.assert_allclose(
        belief(run=run, subject=outlier.subject)[pure], row.probabilities, atol=1e-6
    )


def test_a_vote_on_a_prototype_moves_it_as_a_new_run_would(campaign):
    run = consensus_run(campaign=campaign)
    items = campaign.items.filter(kind="prototype")
    item = min(items, key=lambda one: belief(run=run, prototype=one.prototype).max())
    before = belief(run=run, prototype=item.prototype)
    frii = run.online["classes"].index("frii")
    for _ in range(2):
        vote(item, "frii")
    moved = belief(run=run, prototype=item.prototype)
    assert moved[frii] > 50 * before[frii]
    assert moved.sum() == pytest.approx(1.0)
    again = consensus_run(campaign=campaign)
    refitted = belief(run=again, prototype=item.prototype)
    assert np.abs(moved - refitted).max() < max(0.05, 0.5 * np.abs(moved - before).max())


def test_a_vote_teaches_what_its_volunteer_is_like(campaign):
    run = consensus_run(campaign=campaign)
    newcomer = factories.make_volunteer()
    item = campaign.items.filter(kind="prototype").first()
    assert not VolunteerBelief.objects.filter(volunteer=newcomer).exists()
    vote(item, "frii", newcomer)
    row = VolunteerBelief.objects.get(run=run, volunteer=newcomer)
    assert np.sum(row.state["answers"]) == pytest.approx(1.0)


def test_a_subject_nobody_had_looked_at_begins_with_the_machines_word(campaign):
    run = consensus_run(campaign=campaign)
    item = factories.make_single(campaign, "subject", _fresh(campaign))
    vote(item, "bent")
    found = belief(run=run, subject=item.subject)
    row = SubjectPosterior.objects.get(run=run, subject=item.subject)
    assert found[run.online["classes"].index("bent")] > row.probabilities[run.classes.index("bent")]
    assert found[run.online["classes"].index("mixed")] < 1e-100


def test_a_grid_changes_all_of_its_members(campaign):
    run = consensus_run(campaign=campaign)
    grid = factories.make_grid(campaign, label="frii")
    members = [member.subject_id for member in grid.members.all()]
    frii = run.online["classes"].index("frii")
    vote(grid, ticked=members[:1])
    found = {key: belief(run=run, subject=key)[frii] for key in members}
    rows = SubjectPosterior.objects.filter(run=run, subject__in=members)
    before = {row.subject_id: row.probabilities[run.classes.index("frii")] for row in rows}
    assert found[members[0]] < before[members[0]]
    assert all(found[key] > before[key] for key in members[1:])


def test_what_becomes_sure_retires_at_once(campaign):
    consensus_run(campaign=campaign)
    item = factories.make_single(campaign, "subject", _fresh(campaign), priority=1.0)
    priorities = [1.0]
    for _ in range(25):
        vote(item, "artefact")
        item.refresh_from_db()
        if item.retired_at is not None:
            break
        priorities.append(item.priority)
    assert item.retired_because == Item.Retirement.POSTERIOR
    assert 1 < item.n_votes < 25
    assert priorities[-1] < max(priorities)


def test_a_grid_retires_members_that_are_asked_alone(campaign):
    run = consensus_run(campaign=campaign)
    grid = factories.make_grid(campaign, label="frii", retired_at=None)
    campaign.votes_per_grid = 30
    campaign.save()
    alone = factories.make_single(campaign, "subject", grid.members.first().subject, priority=0.5)
    for _ in range(25):
        vote(grid, ticked=[])
    alone.refresh_from_db()
    assert belief(run=run, subject=alone.subject).max() >= run.online["sure"]
    assert alone.retired_because == Item.Retirement.POSTERIOR


def test_audit_votes_and_answers_that_a_run_does_not_know_change_nothing(campaign):
    run = consensus_run(campaign=campaign)
    before = list(ItemBelief.objects.order_by("pk").values())
    people = VolunteerBelief.objects.count()
    vote(campaign.items.filter(kind="audit").first())
    run.online["answers"] = ["spiral"]
    run.save()
    vote(campaign.items.filter(kind="outlier").first())
    assert list(ItemBelief.objects.order_by("pk").values()) == before
    assert VolunteerBelief.objects.count() == people


def test_before_the_first_run_a_vote_is_but_a_vote(campaign):
    vote(campaign.items.filter(kind="prototype").first())
    assert not ItemBelief.objects.exists()


def test_votes_that_come_while_a_run_is_made_count_once_it_is_there(campaign):
    item = campaign.items.filter(kind="prototype").first()
    late = []

    def report(done, total, message=""):
        if message.startswith("merging") and not late:
            late.extend(vote(item, "other") for _ in range(3))

    run = consensus_run(campaign=campaign, report=report)
    assert run.last_vote_id < late[0].pk
    row = run.items.get(item=item)
    found = belief(run=run, prototype=item.prototype)
    assert found[run.online["classes"].index("other")] > row.probabilities["other"] + 0.01


# Changed answers ----------------------------------------------------------------------------
def beliefs(run):
    """Give all numbers that votes change, and the priorities and retirements that follow."""
    states = [
        *run.item_beliefs.order_by("prototype", "subject").values_list("state", flat=True),
        *run.volunteer_beliefs.order_by("volunteer").values_list("state", flat=True),
    ]
    numbers = np.concatenate([np.ravel(part) for state in states for part in state.values()])
    items = run.campaign.items.order_by("pk")
    return numbers, list(items.values_list("priority", "retired_because", "n_votes"))


def what_would_be(run, do):
    """Tell what would be believed after something, and undo it."""
    point = transaction.savepoint()
    do()
    found = beliefs(run)
    transaction.savepoint_rollback(point)
    return found


def assert_alike(found, expected, *, atol=1e-9):
    np.testing.assert_allclose(found[0], expected[0], atol=atol)
    for (priority, *rest), (priority_then, *rest_then) in zip(found[1], expected[1], strict=True):
        assert rest == rest_then
        assert priority == pytest.approx(priority_then, abs=1e-6)


@pytest.mark.parametrize("kind", ["prototype", "outlier"])
def test_a_changed_answer_is_believed_as_if_it_were_the_first(campaign, kind):
    run = consensus_run(campaign=campaign)
    item = campaign.items.filter(kind=kind).first()
    Item.objects.filter(pk=item.pk).update(priority=1.0)
    annie = factories.make_volunteer()
    alone = what_would_be(run, lambda: vote(item, "bent", annie))
    first = vote(item, "frii", annie)
    assert np.abs(beliefs(run)[0] - alone[0]).max() > 0.1
    second = vote(item, "fri", annie, former=first)
    vote(item, "bent", annie, former=second)
    assert_alike(beliefs(run), alone)


def test_a_grid_answered_anew_is_believed_as_if_it_were_the_first(campaign):
    run = consensus_run(campaign=campaign)
    grid = factories.make_grid(campaign, label="frii")
    keys = [member.subject_id for member in grid.members.all()]
    annie = factories.make_volunteer()
    vote(grid, ticked=keys[:2])  # so that all members have their rows
    alone = what_would_be(run, lambda: vote(grid, volunteer=annie, ticked=keys[3:]))
    unsaid = what_would_be(run, lambda: vote(grid, volunteer=annie, ticked=[], verdict="too_mixed"))
    first = vote(grid, volunteer=annie, ticked=keys[:3])
    mixed = vote(grid, volunteer=annie, ticked=[], verdict="too_mixed", former=first)
    states = [row.state for row in run.item_beliefs.order_by("prototype", "subject")]
    n_items = sum(np.size(part) for state in states for part in state.values())
    np.testing.assert_allclose(beliefs(run)[0][:n_items], unsaid[0][:n_items], atol=1e-9)
    vote(grid, volunteer=annie, ticked=keys[3:], former=mixed)
    assert_alike(beliefs(run), alone)


def test_what_others_say_in_between_stays(campaign):
    run = consensus_run(campaign=campaign)
    item = campaign.items.filter(kind="prototype").first()
    annie, edward = factories.make_volunteer(), factories.make_volunteer()

    def without_a_change():
        vote(item, "frii", edward)
        vote(item, "bent", annie)

    alone = what_would_be(run, without_a_change)
    first = vote(item, "other", annie)
    vote(item, "frii", edward)
    vote(item, "bent", annie, former=first)
    # What Edward is like was learnt from what was believed of the item when he answered.
    assert_alike(beliefs(run), alone, atol=0.05)
    assert Vote.objects.get(volunteer=edward).superseded_at is None


def test_an_answer_that_a_run_has_merged_can_be_changed(campaign):
    item = campaign.items.filter(kind="prototype").first()
    annie = factories.make_volunteer()
    first = vote(item, "other", annie)
    run = consensus_run(campaign=campaign)
    before = belief(run=run, prototype=item.prototype)
    vote(item, "frii", annie, former=first)
    moved = belief(run=run, prototype=item.prototype)
    refitted = belief(run=consensus_run(campaign=campaign), prototype=item.prototype)
    assert np.abs(moved - refitted).max() < max(0.02, 0.3 * np.abs(before - refitted).max())


def test_an_old_answer_of_which_nothing_is_kept_can_be_changed(campaign):
    run = consensus_run(campaign=campaign)
    item = factories.make_single(campaign, "subject", _fresh(campaign))
    annie = factories.make_volunteer()
    point = transaction.savepoint()
    vote(item, "bent", annie)
    exact = belief(run=run, subject=item.subject)
    transaction.savepoint_rollback(point)
    first = vote(item, "frii", annie)
    for other in campaign.items.exclude(pk=item.pk).exclude(kind="audit"):
        vote(other, "frii", annie)
    VolunteerBelief.objects.update(steps=[])
    uncorrected = belief(run=run, subject=item.subject)
    vote(item, "bent", annie, former=first)
    found = belief(run=run, subject=item.subject)
    assert np.abs(found - exact).max() < 0.5 * np.abs(uncorrected - exact).max()


def test_steps_are_kept_of_the_newest_votes_alone(campaign):
    run = consensus_run(campaign=campaign)
    annie = factories.make_volunteer()
    votes = [vote(item, "frii", annie) for item in campaign.items.exclude(kind="audit")]
    more = [vote(factories.make_single(campaign, "subject"), "frii", annie) for _ in range(8)]
    kept = [step["vote"] for step in run.volunteer_beliefs.get(volunteer=annie).steps]
    assert kept == [each.pk for each in [*votes, *more]][-KEPT_STEPS:]


@pytest.mark.parametrize("is_merged", [True, False])
def test_a_change_that_comes_while_a_run_is_made_counts_once(campaign, is_merged):
    item = campaign.items.filter(kind="prototype").first()
    annie, late = factories.make_volunteer(), []
    former = vote(item, "other", annie) if is_merged else None

    def report(done, total, message=""):
        if message.startswith("merging") and not late:
            late.append(vote(item, "bent", annie, former=former))
            late.append(vote(item, "frii", annie, former=late[0]))

    run = consensus_run(campaign=campaign, report=report)
    found = belief(run=run, prototype=item.prototype)
    refitted = belief(run=consensus_run(campaign=campaign), prototype=item.prototype)
    np.testing.assert_allclose(found, refitted, atol=0.05)


def test_answers_that_a_run_does_not_know_are_not_taken_back(campaign):
    run = consensus_run(campaign=campaign)
    item = campaign.items.filter(kind="outlier").first()
    run.online["answers"] = [key for key in run.online["answers"] if key != "frii"]
    run.save()
    annie = factories.make_volunteer()
    alone = what_would_be(run, lambda: vote(item, "bent", annie))
    first = vote(item, "frii", annie)
    vote(item, "bent", annie, former=first)
    assert_alike(beliefs(run), alone)


def _fresh(campaign):
    """Give a subject that nobody has voted on."""
    shown = campaign.items.filter(subject__isnull=False).values("subject")
    return campaign.sorting.survey.subjects.filter(is_audit=False).exclude(pk__in=shown)[0]
