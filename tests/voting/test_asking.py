"""Services ask grids and doubtful subjects, set priorities and end what needs no more answers."""

import uuid

import pytest
from django.utils import timezone

from protozoo.voting.exceptions import CampaignError, ProposalError
from protozoo.voting.models import Campaign, Item
from protozoo.voting.proposals import GridProposal, SubjectProposal
from protozoo.voting.selectors import items_without_consensus
from protozoo.voting.services import campaign_open, items_add, items_prioritize, items_retire
from protozoo.voting.votes import vote_record, votes_move
from tests.factories import (
    make_campaign,
    make_grid,
    make_single,
    make_sorting,
    make_volunteer,
    make_vote,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign():
    sorting = make_sorting(rows=1, columns=3, n_subjects=42, n_audit=3, n_empty=0)
    return make_campaign(sorting=sorting, n_outliers=0, votes_to_retire=3)


@pytest.fixture
def prototype(campaign):
    return campaign.sorting.prototypes.get(column=0)


@pytest.fixture
def members(prototype):
    shown = prototype.members.filter(subject__is_audit=False).order_by("pk")
    return list(shown.values_list("subject_id", flat=True))


def add(campaign, *proposals):
    return items_add(campaign=campaign, proposals=proposals)


def vote(item, **fields):
    return vote_record(
        **{
            "volunteer": make_volunteer(),
            "item_id": item.pk,
            "question_version": 1,
            "path": ["frii"],
            "client_uuid": uuid.uuid4(),
            "seconds": 1.0,
            "answered_at": timezone.now(),
            **fields,
        }
    )


# Adding -------------------------------------------------------------------------------------
def test_a_grid_and_a_doubtful_subject_are_asked(campaign, prototype, members):
    grid, single = add(
        campaign,
        GridProposal(prototype.pk, "frii", members[8::-1], 0.5),
        SubjectProposal(members[10], 2.0),
    )
    grid.refresh_from_db()
    single.refresh_from_db()
    assert (grid.kind, grid.prototype, grid.label, grid.priority) == (
        "grid",
        prototype,
        "frii",
        0.5,
    )
    shown = list(grid.members.order_by("place").values_list("place", "subject_id"))
    assert shown == list(enumerate(members[8::-1], start=1))
    assert (single.kind, single.subject_id, single.priority) == ("subject", members[10], 2.0)
    assert 0 <= grid.order < 1


def test_what_is_asked_already_only_gets_its_new_priority(campaign, prototype, members):
    first = add(
        campaign,
        GridProposal(prototype.pk, "frii", members[:9], 0.5),
        SubjectProposal(members[10], 2.0),
    )
    again = add(
        campaign,
        GridProposal(prototype.pk, "frii", members[8::-1], 0.7),
        SubjectProposal(members[10], 1.0),
        SubjectProposal(members[10], 3.0),
    )
    assert again == [*first, first[1]]
    assert list(Item.objects.filter(priority__gt=0).order_by("pk").values_list("priority")) == [
        (0.7,),
        (3.0,),
    ]


def test_another_label_or_other_members_are_another_grid(campaign, prototype, members):
    made = add(
        campaign,
        GridProposal(prototype.pk, "frii", members[:9], 1.0),
        GridProposal(prototype.pk, "fri", members[:9], 1.0),
        GridProposal(prototype.pk, "frii", members[1:10], 1.0),
    )
    assert len({item.pk for item in made}) == 3


def test_a_settled_grid_may_be_asked_anew_but_a_settled_subject_not(campaign, prototype, members):
    proposals = GridProposal(prototype.pk, "frii", members[:9], 1), SubjectProposal(members[9], 1)
    grid, single = add(campaign, *proposals)
    items_retire(items=[grid.pk, single.pk], because=Item.Retirement.GAIN)
    new_grid, same = add(campaign, *proposals)
    assert new_grid != grid
    assert same == single
    assert same.retired_because == "gain"


def test_an_open_outlier_is_asked_as_such_and_a_settled_one_as_a_subject(campaign):
    outlier = make_single(campaign, "outlier")
    (same,) = add(campaign, SubjectProposal(outlier.subject_id, 4.0))
    assert same == outlier
    assert Item.objects.get(pk=outlier.pk).priority == 4.0
    items_retire(items=[outlier.pk], because=Item.Retirement.COUNT)
    (new,) = add(campaign, SubjectProposal(outlier.subject_id, 4.0))
    assert (new.kind, new.subject_id) == ("subject", outlier.subject_id)


def test_a_small_prototype_has_a_small_grid(campaign, prototype, members):
    for subject in members[5:]:
        prototype.members.filter(subject=subject).delete()
    (grid,) = add(campaign, GridProposal(prototype.pk, "frii", members[:5], 1.0))
    assert grid.members.count() == 5
    with pytest.raises(ProposalError, match="must be between 5 and 16, got 4"):
        add(campaign, GridProposal(prototype.pk, "frii", members[:4], 1.0))


def test_many_proposals_take_few_queries(campaign, django_assert_max_num_queries):
    prototypes = list(campaign.sorting.prototypes.all())
    keys = campaign.sorting.assignments.filter(subject__is_audit=False)
    by = {
        p.pk: list(keys.filter(prototype=p).values_list("subject_id", flat=True))
        for p in prototypes
    }
    proposals = [GridProposal(pk, "frii", each[:10], 1.0) for pk, each in by.items()]
    proposals += [SubjectProposal(each, 1.0) for each in by[prototypes[0].pk]]
    with django_assert_max_num_queries(20):
        assert len(add(campaign, *proposals)) == len(proposals)


def test_nothing_proposed_adds_nothing(campaign):
    assert add(campaign) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"label": "spiral"}, "A label is one of compact, fri, .*; got 'spiral'."),
        ({"label": "mixed"}, "got 'mixed'"),
        ({"priority": -1.0}, "must be a finite number that is not negative, got -1.0"),
        ({"priority": float("nan")}, "got nan"),
        ({"priority": float("inf")}, "got inf"),
        ({"n_members": 8}, "must be between 9 and 16, got 8"),
        ({"n_members": 0}, "must be between 9 and 16, got 0"),
    ],
)
def test_a_wrong_grid_is_refused(campaign, prototype, members, change, sentence):
    grid = {"label": "frii", "priority": 1.0, "n_members": 9, **change}
    shown = members[: grid["n_members"]]
    with pytest.raises(ProposalError, match=sentence):
        add(campaign, GridProposal(prototype.pk, grid["label"], shown, grid["priority"]))
    assert not campaign.items.filter(kind="grid").exists()


def test_more_than_sixteen_members_are_refused():
    sorting = make_sorting(rows=1, columns=1, n_subjects=20, n_audit=0, n_empty=0)
    campaign = make_campaign(sorting=sorting)
    members = list(sorting.survey.subjects.values_list("pk", flat=True))
    with pytest.raises(ProposalError, match="between 9 and 16, got 17"):
        add(campaign, GridProposal(sorting.prototypes.get().pk, "frii", members[:17], 1.0))


def test_members_belong_and_differ(campaign, prototype, members):
    other = campaign.sorting.prototypes.get(column=1)
    with pytest.raises(ProposalError, match=f"Subject {members[0]} is no member of prototype"):
        add(campaign, GridProposal(other.pk, "frii", members[:9], 1.0))
    with pytest.raises(ProposalError, match="must differ from one another"):
        add(campaign, GridProposal(prototype.pk, "frii", [*members[:9], members[0]], 1.0))


def test_nobody_chooses_from_the_audit_sample(campaign):
    audit = campaign.items.filter(kind="audit")[0].subject_id
    with pytest.raises(ProposalError, match=f"Subject {audit} belongs to the audit sample"):
        add(campaign, SubjectProposal(audit, 1.0))


def test_a_subject_of_another_map_is_refused(campaign):
    stranger = make_sorting().survey.subjects.all()[0].pk
    with pytest.raises(ProposalError, match=f"Subject {stranger} has no place on the campaign's"):
        add(campaign, SubjectProposal(stranger, 1.0))


@pytest.mark.django_db(transaction=True)
def test_the_same_proposals_at_once_are_asked_once(all_at_once, campaign, prototype, members):
    proposals = GridProposal(prototype.pk, "frii", members[:9], 1), SubjectProposal(members[9], 1)
    made = all_at_once([lambda: [item.pk for item in add(campaign, *proposals)] for _ in range(4)])
    assert len({tuple(keys) for keys in made}) == 1
    assert campaign.items.filter(kind__in=["grid", "subject"]).count() == 2


# Priorities ---------------------------------------------------------------------------------
def test_priorities_are_set_and_taken_away(campaign):
    one, two, three, four = campaign.items.all()[:4]
    items_prioritize(campaign=campaign, priorities={one.pk: 1.0, two.pk: 2.0})
    items_retire(items=[four.pk], because=Item.Retirement.GAIN)
    changed = items_prioritize(
        campaign=campaign, priorities={one.pk: 1.0, two.pk: None, three.pk: 3.0, four.pk: 4.0}
    )
    assert changed == 2
    found = dict(campaign.items.values_list("pk", "priority"))
    assert [found[item.pk] for item in (one, two, three, four)] == [1.0, None, 3.0, None]


def test_another_campaigns_items_keep_their_priority(campaign):
    other = make_campaign(sorting=campaign.sorting).items.all()[0]
    assert items_prioritize(campaign=campaign, priorities={other.pk: 5.0}) == 0
    assert Item.objects.get(pk=other.pk).priority is None


@pytest.mark.parametrize("priority", [-0.1, float("nan"), float("inf")])
def test_a_priority_that_is_none_is_refused(campaign, priority):
    item = campaign.items.all()[0]
    with pytest.raises(ProposalError, match=f"The priority of item {item.pk} must be a finite"):
        items_prioritize(campaign=campaign, priorities={item.pk: priority})


# Retirement ---------------------------------------------------------------------------------
@pytest.mark.parametrize("because", ["posterior", "gain", "cap"])
def test_items_retire_for_a_reason(campaign, because):
    one, two = campaign.items.all()[:2]
    Item.objects.filter(pk=two.pk).update(retired_at=timezone.now(), retired_because="count")
    assert items_retire(items=[one.pk, two.pk], because=Item.Retirement(because)) == 1
    one.refresh_from_db()
    two.refresh_from_db()
    assert one.retired_at is not None
    assert (one.retired_because, two.retired_because) == (because, "count")


def test_an_item_on_which_people_do_not_agree_goes_to_review(campaign):
    Campaign.objects.update(votes_to_retire=9, votes_cap=2)
    item = make_single(campaign, "subject")
    for n_votes in (1, 2):
        vote(item)
        item.refresh_from_db()
        assert (item.retired_at is not None) == (n_votes == 2)
    assert item.retired_because == "cap"
    assert list(items_without_consensus(campaign)) == [item]
    assert not items_without_consensus(make_campaign(sorting=campaign.sorting)).exists()


def test_enough_votes_at_the_cap_are_enough(campaign):
    Campaign.objects.update(votes_to_retire=2, votes_cap=2)
    item = campaign.items.all()[0]
    vote(item)
    vote(item)
    item.refresh_from_db()
    assert item.retired_because == "count"


def test_an_item_below_the_cap_again_goes_back_into_the_queue(campaign):
    item = make_single(campaign, "subject")
    annie, other = make_volunteer(), make_volunteer()
    for volunteer in (annie, other):
        make_vote(item, volunteer=volunteer)
    Campaign.objects.update(votes_to_retire=9, votes_cap=2)
    items_retire(items=[item.pk], because=Item.Retirement.CAP)
    votes_move(giver=other, taker=annie)
    item.refresh_from_db()
    assert (item.n_votes, item.retired_at, item.retired_because) == (1, None, "")


def test_what_the_service_settled_stays_settled(campaign):
    item = make_grid(campaign)
    annie, other = make_volunteer(), make_volunteer()
    for volunteer in (annie, other):
        make_vote(item, volunteer=volunteer, answer="sorted", path=[], ticked=[])
    items_retire(items=[item.pk], because=Item.Retirement.POSTERIOR)
    votes_move(giver=other, taker=annie)
    item.refresh_from_db()
    assert item.retired_because == "posterior"


def test_a_campaign_that_asks_for_many_votes_has_a_cap_above_them():
    sorting = make_sorting()
    caps = [
        campaign_open(sorting=sorting, slug=f"c{n}", title="C", votes_to_retire=n).votes_cap
        for n in (5, 20)
    ]
    assert caps == [12, 20]
    with pytest.raises(CampaignError, match="votes_cap must be at least 1, got 0"):
        campaign_open(sorting=sorting, slug="none", title="C", votes_cap=0)
