"""Votes become probabilities of every subject, and the run says where they come from."""

import copy

import numpy as np
import pytest

from protozoo.consensus.exceptions import NothingToMergeError, ReviewError
from protozoo.consensus.models import (
    ConsensusRun,
    ItemPosterior,
    Review,
    SubjectPosterior,
    VolunteerPosterior,
)
from protozoo.consensus.services import consensus_run, review_record
from protozoo.voting.models import Item, Vote
from protozoo.voting.services import question_revise
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign():
    return factories.make_campaign()


@pytest.fixture
def voted(campaign):
    factories.make_votes(campaign, n_volunteers=5, seed=3)
    return campaign


def test_without_votes_there_is_nothing_to_merge(campaign):
    with pytest.raises(NothingToMergeError, match="Nobody has voted"):
        consensus_run(campaign=campaign)


def test_every_subject_gets_probabilities_that_sum_to_one(voted):
    run = consensus_run(campaign=voted)
    rows = SubjectPosterior.objects.filter(run=run)
    assert rows.count() == voted.sorting.assignments.count() > 0
    for row in rows:
        assert len(row.probabilities) == len(run.classes)
        assert sum(row.probabilities) == pytest.approx(1.0, abs=1e-9)
        assert row.label == run.classes[int(np.argmax(row.probabilities))]
        assert row.probability == pytest.approx(max(row.probabilities))
        weights = row.weight_prototype + row.weight_direct + row.weight_prior
        assert weights == pytest.approx(1.0, abs=1e-9)
    assert "mixed" not in run.classes
    assert "unknown" not in run.classes


def test_every_item_and_volunteer_has_a_posterior(voted):
    n_items = voted.items.count()
    run = consensus_run(campaign=voted)
    assert ItemPosterior.objects.filter(run=run).count() == n_items
    assert VolunteerPosterior.objects.filter(run=run).count() == run.n_volunteers == 5
    for item in ItemPosterior.objects.filter(run=run):
        assert sum(item.probabilities.values()) == pytest.approx(1.0)


def test_nothing_new_gives_the_same_run_and_a_new_vote_another(voted):
    first = consensus_run(campaign=voted)
    assert consensus_run(campaign=voted).pk == first.pk
    item = voted.items.first()
    factories.make_vote(item=item, volunteer=factories.make_volunteer())
    second = consensus_run(campaign=voted)
    assert second.pk != first.pk
    assert second.n_votes == first.n_votes + 1
    assert ConsensusRun.objects.count() == 2


def without(tree, *keys):
    """Offer some answers no longer."""
    left = copy.deepcopy(tree)
    for question in left["questions"].values():
        question["answers"] = [one for one in question["answers"] if one["key"] not in keys]
    return left


def test_votes_for_an_answer_that_is_gone_are_left_out_and_the_run_is_still_found(voted):
    vote = factories.make_vote(
        item=voted.items.first(), volunteer=factories.make_volunteer(), answer="bent"
    )
    kept = Vote.objects.filter(item__campaign=voted).exclude(answer="bent")
    question_revise(campaign=voted, tree=without(vote.question.tree, "bent"))
    run = consensus_run(campaign=voted)
    assert run.n_votes == kept.count()
    assert "bent" not in run.classes
    assert consensus_run(campaign=voted).pk == run.pk


def test_votes_for_gone_answers_alone_are_nothing_to_merge(campaign):
    vote = factories.make_vote(item=campaign.items.first(), answer="bent")
    question_revise(campaign=campaign, tree=without(vote.question.tree, "bent"))
    with pytest.raises(NothingToMergeError, match="as its question stands"):
        consensus_run(campaign=campaign)


def test_agreeing_votes_on_a_prototype_reach_its_members(campaign):
    item = campaign.items.filter(kind=Item.Kind.PROTOTYPE).first()
    for _ in range(5):
        factories.make_vote(item=item, volunteer=factories.make_volunteer(), answer="bent")
    run = consensus_run(campaign=campaign)
    members = item.prototype.members.order_by("distance").values_list("subject_id", flat=True)
    nearest = SubjectPosterior.objects.get(run=run, subject_id=members[0])
    assert nearest.label == "bent"
    assert nearest.n_votes_prototype == 5
    assert nearest.weight_prototype > nearest.weight_direct == 0


def test_votes_on_the_subject_itself_outweigh_its_prototype(campaign):
    outlier = campaign.items.filter(kind=Item.Kind.OUTLIER).first()
    prototype = campaign.sorting.assignments.get(subject=outlier.subject).prototype
    cell = campaign.items.get(prototype=prototype)
    for _ in range(5):
        volunteer = factories.make_volunteer()
        factories.make_vote(item=cell, volunteer=volunteer, answer="compact")
        factories.make_vote(item=outlier, volunteer=volunteer, answer="artefact")
    row = SubjectPosterior.objects.get(
        run=consensus_run(campaign=campaign), subject=outlier.subject
    )
    assert row.label == "artefact"
    assert row.n_votes_direct == 5
    assert row.weight_direct > row.weight_prototype


def test_superseded_votes_do_not_count(voted):
    vote = voted.items.first().votes.first()
    before = consensus_run(campaign=voted).n_votes
    vote.superseded_at = vote.received_at
    vote.save()
    assert consensus_run(campaign=voted).n_votes == before - 1


def test_the_audit_tells_how_often_the_map_alone_is_right(campaign):
    audit = list(campaign.items.filter(kind=Item.Kind.AUDIT))
    assert audit
    for item in campaign.items.all():
        for _ in range(4):
            factories.make_vote(item=item, volunteer=factories.make_volunteer(), answer="frii")
    figures = consensus_run(campaign=campaign).audit
    assert figures["n_subjects"] == len(audit)
    assert figures["agreement"] == 1.0
    assert figures["interval_low"] < 1.0 == figures["interval_high"]


def test_audit_votes_teach_the_catalog_nothing_about_others(campaign):
    prototype = campaign.items.filter(kind=Item.Kind.PROTOTYPE).first()
    for _ in range(3):
        factories.make_vote(item=prototype, volunteer=factories.make_volunteer(), answer="fri")
    one = consensus_run(campaign=campaign)
    audit = campaign.items.filter(kind=Item.Kind.AUDIT).first()
    for _ in range(5):
        factories.make_vote(item=audit, volunteer=factories.make_volunteer(), answer="other")
    two = consensus_run(campaign=campaign)
    others = SubjectPosterior.objects.exclude(subject=audit.subject)
    before = dict(others.filter(run=one).values_list("subject", "probabilities"))
    after = dict(others.filter(run=two).values_list("subject", "probabilities"))
    for subject, probabilities in before.items():
        assert after[subject] == pytest.approx(probabilities)


def test_a_scientist_reviews_and_every_decision_stays(voted):
    williamina = factories.make_williamina()
    subject = voted.sorting.assignments.first().subject
    for label in ("bent", "fri"):
        review_record(campaign=voted, subject=subject, reviewer=williamina, label=label)
    assert list(Review.objects.values_list("label", flat=True)) == ["fri", "bent"]


@pytest.mark.parametrize(
    ("role", "label", "message"),
    [
        ("volunteer", "bent", "Only scientists review"),
        ("scientist", "mixed", "A label is one of compact"),
        ("scientist", "nonsense", "got 'nonsense'"),
    ],
)
def test_a_review_that_cannot_be_is_refused(voted, role, label, message):
    subject = voted.sorting.assignments.first().subject
    reviewer = factories.make_user(role=role)
    with pytest.raises(ReviewError, match=message):
        review_record(campaign=voted, subject=subject, reviewer=reviewer, label=label)
    assert not Review.objects.exists()


def test_a_subject_of_another_survey_is_not_reviewed_here(voted):
    with pytest.raises(ReviewError, match="does not belong"):
        review_record(
            campaign=voted,
            subject=factories.make_subject(),
            reviewer=factories.make_williamina(),
            label="bent",
        )
