"""Enough new votes call for a new merge, once."""

import uuid

import pytest
from django.utils import timezone

from protozoo.consensus.models import AskingPlan
from protozoo.consensus.refits import MERGE_TASK, merge_later
from protozoo.consensus.services import consensus_run
from protozoo.jobs.models import Job
from protozoo.voting.trees import default_tree, tree_path
from protozoo.voting.votes import vote_record
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign():
    campaign = factories.make_campaign(votes_to_retire=99, votes_cap=99)
    AskingPlan.objects.create(campaign=campaign, refit_votes=15, refit_share=0.1)
    return campaign


def vote(campaign, n=1, *, changed=None):
    """Vote n times, each time as a newcomer, or by changing one vote again and again."""
    item = campaign.items.filter(kind="audit").first()
    for _ in range(n):
        vote_record(
            volunteer=changed.volunteer if changed else factories.make_volunteer(),
            supersedes=changed and changed.client_uuid,
            item_id=item.pk,
            question_version=1,
            path=tree_path(default_tree(), "frii"),
            client_uuid=uuid.uuid4(),
            seconds=3.0,
            answered_at=timezone.now(),
        )


def jobs():
    return Job.objects.filter(task=MERGE_TASK)


def test_a_merge_is_ordered_after_enough_votes_and_never_twice_at_once(campaign):
    vote(campaign, 14)
    assert not jobs().exists()
    vote(campaign, 12)
    assert jobs().get().arguments == {"campaign_id": campaign.pk}
    assert merge_later(campaign=campaign) == jobs().get()


def test_a_done_merge_makes_room_for_the_next(campaign):
    vote(campaign, 25)
    consensus_run(campaign=campaign)
    jobs().update(state=Job.State.DONE)
    vote(campaign, 14)
    assert jobs().count() == 1
    vote(campaign, 11)
    assert jobs().count() == 2


def test_a_changed_vote_is_a_new_one(campaign):
    first = factories.make_vote(campaign.items.filter(kind="audit").first())
    vote(campaign, 13, changed=first)
    assert not jobs().exists()
    vote(campaign, 12, changed=first)
    assert jobs().exists()


def test_votes_in_other_campaigns_do_not_count(campaign):
    consensus_run(campaign=_voted(campaign))
    vote(factories.make_campaign(votes_to_retire=99, votes_cap=99), 30)
    vote(campaign, 14)
    assert not jobs().exists()


def test_many_votes_call_for_a_share_of_them():
    plan = AskingPlan(refit_votes=100, refit_share=0.05)
    assert [plan.votes_until_refit(n) for n in (0, 2000, 2001, 10_000)] == [100, 100, 101, 500]


def _voted(campaign):
    factories.make_vote(item=campaign.items.first())
    return campaign
