"""One item: skipped, put among the favourites, passed on as a link, and wanted first."""

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from protozoo.accounts.models import Volunteer
from protozoo.voting.models import Campaign, Favourite, Lease, Skip
from protozoo.voting.votes import votes_move
from tests.factories import (
    make_annie,
    make_campaign,
    make_charlie,
    make_grid,
    make_volunteer,
    make_vote,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign():
    return make_campaign()


@pytest.fixture
def item(campaign):
    return campaign.items.filter(kind="prototype")[0]


@pytest.fixture
def client(campaign):
    """Give a browser whose anonymous volunteer the site knows."""
    client = APIClient()
    ask(client, campaign)
    return client


def ask(client, campaign, **body):
    answer = client.post(f"/api/campaigns/{campaign.slug}/next/", body)
    assert answer.status_code == 200, answer.content
    return answer.json()


def skip(client, item):
    return client.post(f"/api/items/{getattr(item, 'pk', item)}/skip/")


def favourite(item):
    return f"/api/items/{getattr(item, 'pk', item)}/favourite/"


def calls(item):
    """Give all that can be done to an item, as functions of a client."""
    return [
        lambda client: skip(client, item),
        lambda client: client.put(favourite(item)),
        lambda client: client.delete(favourite(item)),
    ]


def code_of(answer):
    return answer.status_code, answer.json()["error"]["code"]


# Skip ---------------------------------------------------------------------------------------
def test_an_item_is_skipped_once_however_often(client, item):
    for _ in range(2):
        assert skip(client, item).status_code == 204
    assert Skip.objects.get().item == item
    assert not Lease.objects.filter(item=item).exists()


def test_a_skipped_item_can_still_be_answered(client, item, ballot):
    skip(client, item)
    assert client.post("/api/votes/", ballot(item)).status_code == 201


# Favourites ---------------------------------------------------------------------------------
def test_a_favourite_is_put_and_taken_off_as_often_as_one_likes(client, campaign, item):
    for _ in range(2):
        assert client.put(favourite(item)).status_code == 204
    assert Favourite.objects.get().item == item
    (shown,) = ask(client, campaign, wanted=item.pk)["items"]
    assert shown["is_favourite"] is True
    for _ in range(2):
        assert client.delete(favourite(item)).status_code == 204
    assert not Favourite.objects.exists()
    (shown,) = ask(client, campaign, wanted=item.pk)["items"]
    assert shown["is_favourite"] is False


def test_favourites_are_everybodys_own(client, campaign, item):
    client.put(favourite(item))
    other = APIClient()
    (shown,) = ask(other, campaign, wanted=item.pk)["items"]
    assert shown["is_favourite"] is False
    other.delete(favourite(item))
    assert Favourite.objects.count() == 1


def test_skips_and_favourites_move_along_with_votes(campaign, item):
    anonymous, annie = make_volunteer(), make_volunteer(make_annie())
    other = campaign.items.filter(kind="outlier")[0]
    for held in (Skip, Favourite):
        for volunteer, shown in ((anonymous, item), (anonymous, other), (annie, item)):
            held.objects.create(volunteer=volunteer, item=shown)
    votes_move(giver=anonymous, taker=annie)
    for held in (Skip, Favourite):
        found = held.objects.order_by("item_id").values_list("volunteer", "item")
        assert list(found) == sorted((annie.pk, each.pk) for each in (item, other))


# Who, and what ------------------------------------------------------------------------------
def test_whoever_has_no_cookie_is_not_known(item):
    for call in calls(item):
        assert code_of(call(APIClient())) == (403, "volunteer_unknown")
    assert not Volunteer.objects.exists()


def test_an_account_needs_no_cookie(item):
    annie = APIClient()
    annie.force_login(make_annie())
    assert [call(annie).status_code for call in calls(item)] == [204] * 3


def test_an_account_that_may_not_classify_is_refused(item):
    charlie = APIClient()
    charlie.force_login(make_charlie())
    for call in calls(item):
        assert code_of(call(charlie)) == (403, "permission_denied")


@pytest.mark.parametrize("number", [999_999, 2**63])
def test_an_unknown_item_is_not_found(client, number):
    for call in calls(number):
        assert code_of(call(client)) == (404, "item_unknown")


def test_an_item_of_a_draft_is_nobodys_business(client, item):
    Campaign.objects.update(state=Campaign.State.DRAFT)
    for call in calls(item):
        assert code_of(call(client)) == (404, "item_unknown")
    assert Client().get(f"/items/{item.pk}/").status_code == 404


def test_other_methods_are_refused(client, item):
    assert client.get(favourite(item)).status_code == 405
    assert client.get(f"/api/items/{item.pk}/skip/").status_code == 405


@pytest.mark.django_db(transaction=True)
def test_all_at_once_an_item_is_skipped_and_kept_once(all_at_once, client, item):
    def browser():
        one = Client()
        one.cookies = client.cookies
        return one

    answers = all_at_once([lambda c=call: c(browser()) for call in calls(item)[:2] * 3])
    assert [answer.status_code for answer in answers] == [204] * 6
    assert (Skip.objects.count(), Favourite.objects.count()) == (1, 1)


# Links --------------------------------------------------------------------------------------
def test_a_link_leads_to_where_the_item_can_be_answered(item):
    answer = Client().get(f"/items/{item.pk}/")
    assert answer.status_code == 302
    assert answer["Location"] == f"/campaigns/{item.campaign.slug}/classify/?item={item.pk}"


@pytest.mark.parametrize("number", [999_999, 2**63])
def test_a_link_to_nothing_is_not_found(number):
    assert Client().get(f"/items/{number}/").status_code == 404


# The wanted item ----------------------------------------------------------------------------
def test_the_wanted_item_comes_first(client, campaign):
    for wanted in campaign.items.order_by("-order")[:3]:
        answer = ask(client, campaign, count=4, wanted=wanted.pk)
        assert answer["items"][0]["id"] == wanted.pk
        assert len({shown["id"] for shown in answer["items"]}) == 4
        assert answer["notice"] is None
        assert Lease.objects.filter(item=wanted).exists()


def test_a_wanted_item_comes_although_it_was_skipped(client, campaign, item):
    skip(client, item)
    assert ask(client, campaign, wanted=item.pk)["items"][0]["id"] == item.pk


def test_a_wanted_item_that_the_page_holds_is_not_handed_out_again(client, campaign, item):
    answer = ask(client, campaign, wanted=item.pk, exclude=[item.pk])
    assert item.pk not in [shown["id"] for shown in answer["items"]]
    assert answer["notice"] is None


def test_a_wanted_item_that_one_has_answered_is_told_of(client, campaign, item, ballot):
    client.post("/api/votes/", ballot(item))
    item.retired_at = timezone.now()
    for _ in ("open", "retired"):
        answer = ask(client, campaign, count=3, wanted=item.pk)
        assert answer["notice"] == "answered"
        assert len(answer["items"]) == 3
        item.save()


def test_a_wanted_grid_of_subjects_judged_before_is_told_of(client, campaign, ballot):
    grid = make_grid(campaign)
    twin = make_grid(campaign, subjects=[grid.members.all()[0].subject_id])
    body = ballot(twin, grid={"verdict": "sorted", "ticked": []})
    del body["path"]
    assert client.post("/api/votes/", body).status_code == 201
    assert ask(client, campaign, wanted=grid.pk)["notice"] == "answered"


def test_a_retired_item_is_never_handed_out_but_told_of(client, campaign, item):
    item.retired_at = timezone.now()
    item.save()
    answer = ask(client, campaign, count=12, wanted=item.pk)
    assert answer["notice"] == "retired"
    assert item.pk not in [shown["id"] for shown in answer["items"]]


def test_an_item_of_another_campaign_is_unknown_here(client, campaign):
    other = make_campaign(sorting=campaign.sorting).items.all()[0]
    for wanted in (other.pk, 999_999):
        answer = ask(client, campaign, wanted=wanted)
        assert answer["notice"] == "unknown"
        assert len(answer["items"]) == 1


def test_a_closed_campaign_says_only_that(client, campaign, item):
    make_vote(item)
    Campaign.objects.update(state=Campaign.State.CLOSED)
    answer = ask(client, campaign, wanted=item.pk)
    assert answer == {"state": "closed", "items": [], "notice": None}


@pytest.mark.parametrize("wanted", [0, -1, 2**63, "first", [1]])
def test_a_wish_that_is_no_number_is_refused(client, campaign, wanted):
    answer = client.post(f"/api/campaigns/{campaign.slug}/next/", {"wanted": wanted})
    assert answer.status_code == 400
    assert "wanted" in answer.json()["error"]["fields"]
