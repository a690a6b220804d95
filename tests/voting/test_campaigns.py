"""Campaigns are opened once, with the right items, and their question may be revised."""

import copy

import pytest

from protozoo.sorting.models import Sorting
from protozoo.voting.exceptions import CampaignError, TreeError
from protozoo.voting.models import Campaign, Item
from protozoo.voting.selectors import (
    campaign_progress,
    campaigns_progress,
    campaigns_public,
    question_newest,
    with_progress,
)
from protozoo.voting.services import (
    campaign_close,
    campaign_open,
    campaign_reopen,
    items_lease,
    question_revise,
)
from protozoo.voting.trees import default_tree
from tests.factories import (
    make_campaign,
    make_edward,
    make_sorting,
    make_survey,
    make_volunteer,
    make_vote,
)

pytestmark = pytest.mark.django_db


def open_campaign(sorting=None, **fields):
    return campaign_open(
        **{"sorting": sorting or make_sorting(), "slug": "shapes", "title": "Shapes", **fields}
    )


def test_it_asks_about_prototypes_with_members_outliers_and_the_audit_sample():
    sorting = make_sorting(rows=2, columns=3, n_empty=1, n_subjects=30, n_audit=4)
    campaign = open_campaign(sorting, n_outliers=3)

    prototypes = campaign.items.filter(kind="prototype").values_list("prototype", flat=True)
    assert set(prototypes) == set(
        sorting.prototypes.filter(n_members__gt=0).values_list("pk", flat=True)
    )
    audit = campaign.items.filter(kind="audit").values_list("subject", flat=True)
    assert set(audit) == set(
        sorting.survey.subjects.filter(is_audit=True).values_list("pk", flat=True)
    )
    assert len(audit) == 4
    strangest = sorting.assignments.exclude(subject__in=audit).order_by("outlier_rank")[:3]
    outliers = campaign.items.filter(kind="outlier").values_list("subject", flat=True)
    assert set(outliers) == {assignment.subject_id for assignment in strangest}


def test_it_takes_five_percent_as_outliers_rounded_up():
    campaign = open_campaign(make_sorting(n_subjects=30, n_audit=0))
    assert campaign.items.filter(kind="outlier").count() == 2


def test_it_takes_at_most_200_outliers():
    campaign = open_campaign(make_sorting(n_subjects=250, n_audit=0), n_outliers=None)
    assert campaign.items.filter(kind="outlier").count() == 13
    large = make_sorting(n_subjects=250, n_audit=0)
    Sorting.objects.filter(pk=large.pk).update(n_subjects=100_000)
    large.refresh_from_db()
    assert open_campaign(large, slug="large").items.filter(kind="outlier").count() == 200


def test_opening_it_again_changes_nothing():
    sorting = make_sorting()
    first = open_campaign(sorting, title="Shapes")
    before = list(first.items.values_list("pk", "order"))
    second = open_campaign(sorting, title="Another title", votes_to_retire=9)
    assert second == first
    assert second.title == "Shapes"
    assert list(second.items.values_list("pk", "order")) == before
    assert second.questions.count() == 1


def test_the_same_seed_gives_the_same_queue():
    sorting = make_sorting()
    one, two, other = (
        [item.order for item in open_campaign(sorting, slug=slug, seed=seed).items.order_by("pk")]
        for slug, seed in (("one", 5), ("two", 5), ("other", 6))
    )
    assert one == two
    assert one != other


def test_the_queue_is_mixed():
    campaign = open_campaign(make_sorting(rows=5, columns=5, n_subjects=60, n_audit=20))
    kinds = [item.kind for item in campaign.items.order_by("order")]
    assert kinds != sorted(kinds)
    assert kinds != sorted(kinds, reverse=True)


def test_a_name_of_another_sorting_is_refused():
    open_campaign(make_sorting())
    with pytest.raises(CampaignError, match="The campaign 'shapes' belongs to"):
        open_campaign(make_sorting())
    assert Campaign.objects.count() == 1


def test_a_sorting_that_is_not_ready_is_refused():
    sorting = make_sorting(state=Sorting.State.PROJECTING)
    with pytest.raises(CampaignError, match="is not ready yet"):
        open_campaign(sorting)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"votes_to_retire": 0}, "votes_to_retire must be at least 1, got 0."),
        ({"n_outliers": -1}, "n_outliers must not be negative, got -1."),
    ],
)
def test_wrong_numbers_are_refused(fields, sentence):
    with pytest.raises(CampaignError, match=sentence):
        open_campaign(**fields)


@pytest.mark.parametrize("slug", ["", "../elsewhere", "a/b", "Shapes of FIRST", "x" * 61])
def test_a_name_that_cannot_name_a_folder_is_refused(slug):
    with pytest.raises(CampaignError, match="small letters, digits and '-'"):
        open_campaign(slug=slug)
    assert not Campaign.objects.exists()


def test_a_broken_tree_opens_nothing():
    with pytest.raises(TreeError):
        open_campaign(tree={"root": "a", "questions": {}})
    assert not Campaign.objects.exists()


def test_a_revised_question_is_a_new_version():
    campaign = open_campaign()
    tree = copy.deepcopy(default_tree())
    tree["questions"]["shape"]["text"] = "What do you see?"
    revised = question_revise(campaign=campaign, tree=tree)
    assert revised.version == 2
    assert question_newest(campaign) == revised
    assert campaign.questions.get(version=1).tree == default_tree()


def test_the_same_tree_is_no_revision():
    campaign = open_campaign()
    assert question_revise(campaign=campaign, tree=default_tree()).version == 1
    assert campaign.questions.count() == 1


def test_a_broken_revision_is_refused():
    campaign = open_campaign()
    with pytest.raises(TreeError):
        question_revise(campaign=campaign, tree=[])
    assert campaign.questions.count() == 1


def test_a_closed_campaign_hands_nothing_out_until_it_opens_again():
    campaign = open_campaign()
    campaign_close(campaign=campaign)
    assert items_lease(campaign=campaign, volunteer=make_volunteer()) == []
    campaign_reopen(campaign=campaign)
    assert len(items_lease(campaign=campaign, volunteer=make_volunteer())) == 1


@pytest.mark.parametrize(("share", "is_taken"), [(0.2, True), (0.95, False), (-0.1, False)])
def test_edward_sets_the_shares_of_the_lanes_but_leaves_a_rest(client, share, is_taken):
    campaign = make_campaign()
    client.force_login(make_edward())
    address = f"/admin/voting/campaign/{campaign.pk}/change/"
    fields = client.get(address).context["adminform"].form.initial
    words = {name: fields[name] for name in ("title", "introduction")}
    shares = {"share_gold": share, "share_audit": 0.05, "share_chance": 0.05}
    answer = client.post(address, {**words, **shares, "votes_cap": 99})
    campaign.refresh_from_db()
    assert (campaign.share_gold, campaign.votes_cap) == (share if is_taken else 0.03, 12)
    assert ("their sum must be less than 1" in answer.content.decode()) == (not is_taken)


def test_progress_counts_what_counts():
    campaign = make_campaign(votes_to_retire=2)
    annie = make_volunteer()
    item, other = campaign.items.all()[:2]
    make_vote(item, volunteer=annie)
    make_vote(item)
    make_vote(other, volunteer=annie)
    Item.objects.filter(pk=item.pk).update(retired_at=campaign.created_at)
    make_vote(volunteer=annie)  # in another campaign

    progress = campaign_progress(campaign)
    assert progress.n_items == campaign.items.count()
    assert (progress.n_retired, progress.n_votes, progress.n_volunteers) == (1, 3, 2)
    assert progress.n_subjects == 30
    assert progress.fraction == pytest.approx(1 / progress.n_items)
    assert progress.percent == 100 // progress.n_items


def test_a_campaign_without_items_has_progress_zero():
    sorting = make_sorting(survey=make_survey(), n_subjects=1, n_audit=0)
    sorting.prototypes.update(n_members=0)
    progress = campaign_progress(open_campaign(sorting, n_outliers=0))
    assert (progress.n_items, progress.n_votes, progress.percent, progress.fraction) == (0, 0, 0, 0)


def test_progress_of_many_campaigns_takes_few_queries(django_assert_num_queries):
    sorting = make_sorting()
    for _ in range(4):
        make_vote(make_campaign(sorting=sorting).items.all()[0])
    with django_assert_num_queries(3):  # campaigns, questions, items
        shown = with_progress(campaigns_public())
    assert [each.progress.n_votes for each in shown] == [1, 1, 1, 1]
    campaigns = [each.campaign for each in shown]
    with django_assert_num_queries(2):  # items, volunteers
        progress = campaigns_progress(campaigns)
    assert [each.n_volunteers for each in progress.values()] == [1, 1, 1, 1]
