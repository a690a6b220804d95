"""A grid shows members in their prototype's frame and takes a verdict with ticks, nothing else."""

import json

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from rest_framework.test import APIClient

from protozoo.consensus.selectors import prototype_posterior, standing_of, votes_on_prototype
from protozoo.sorting.models import Assignment
from protozoo.sorting.pictures import member_picture_url
from protozoo.sorting.pixels import member_pixels_url
from protozoo.voting.exceptions import AnswerError
from protozoo.voting.models import Campaign, GridMember, Item, Vote
from protozoo.voting.selectors import campaign_progress, votes_of
from protozoo.voting.services import question_revise
from protozoo.voting.showcase import campaign_coverage
from protozoo.voting.trees import default_tree
from protozoo.voting.votes import GridAnswer, vote_record, votes_move
from tests.factories import (
    make_annie,
    make_campaign,
    make_charlie,
    make_consensus_run,
    make_grid,
    make_sorting,
    make_volunteer,
    make_vote,
)

pytestmark = pytest.mark.django_db

VOTES = "/api/votes/"


@pytest.fixture
def campaign():
    sorting = make_sorting(rows=1, columns=3, n_subjects=36, n_audit=3, n_empty=0)
    return make_campaign(sorting=sorting, n_outliers=0)


@pytest.fixture
def grid(campaign):
    return make_grid(campaign, label="frii")


@pytest.fixture
def client(campaign):
    """Give a browser whose anonymous volunteer the site knows."""
    client = APIClient()
    client.post(f"/api/campaigns/{campaign.slug}/next/", {})
    return client


@pytest.fixture
def grid_ballot(ballot):
    """Make the body of a vote on a grid."""

    def make(item, ticked=(), verdict="sorted", /, **fields):
        body = ballot(item, grid={"verdict": verdict, "ticked": list(ticked)}, **fields)
        body.pop("path") if "path" not in fields else None
        return body

    return make


def members(grid):
    return list(grid.members.order_by("place").values_list("subject_id", flat=True))


def error_of(answer, status, code):
    assert answer.status_code == status, answer.content
    assert answer.json()["error"]["code"] == code
    return answer.json()["error"]


# What it shows ------------------------------------------------------------------------------
def test_members_are_turned_into_the_prototypes_frame_in_their_places(client, campaign, grid):
    campaign.items.exclude(pk=grid.pk).delete()
    answer = client.post(f"/api/campaigns/{campaign.slug}/next/", {})
    (shown,) = answer.json()["items"]
    assert (shown["id"], shown["kind"]) == (grid.pk, "grid")
    assert (shown["label"], shown["label_title"]) == ("frii", "FR II")
    assert shown["main"]["url"].startswith(f"/pictures/prototypes/{grid.prototype_id}.png?")
    n_members = grid.prototype.n_members
    assert shown["description"] == f"Prototype 0, 0: {grid.members.count()} of {n_members} members"
    assert [picture["subject_id"] for picture in shown["members"]] == members(grid)
    third = Assignment.objects.get(sorting=campaign.sorting, subject=members(grid)[2])
    assert shown["members"][2] == {
        "url": member_picture_url(third, size=192),
        "alt": f"Member 3 of {grid.members.count()}: {third.subject.identifier}",
        "pixels_url": member_pixels_url(third),
        "scale_arcsec": third.subject.survey.pixel_scale_arcsec,
        "subject_id": third.subject_id,
        "rank": None,
    }
    assert shown["main"]["alt"] == f"Prototype 0, 0: FR II, {n_members} members"


def test_all_other_kinds_have_no_label(client, campaign):
    for shown in client.post(f"/api/campaigns/{campaign.slug}/next/", {"count": 6}).json()["items"]:
        assert (shown["label"], shown["label_title"]) == (None, None)


def test_a_label_is_worded_as_the_newest_question_does(client, campaign, grid):
    tree = default_tree()
    answers = tree["questions"]["shape"]["answers"]
    next(one for one in answers if one["key"] == "frii")["label"] = "Double"
    question_revise(campaign=campaign, tree=tree)
    campaign.items.exclude(pk=grid.pk).delete()
    (shown,) = client.post(f"/api/campaigns/{campaign.slug}/next/", {}).json()["items"]
    assert (shown["label"], shown["label_title"]) == ("frii", "Double")


def test_many_grids_take_as_many_queries_as_one(campaign, client, django_assert_max_num_queries):
    campaign.items.all().delete()
    for prototype in campaign.sorting.prototypes.all():
        make_grid(campaign, prototype=prototype)
    address = f"/api/campaigns/{campaign.slug}/next/"
    with django_assert_max_num_queries(23):
        assert len(client.post(address, {"count": 3}).json()["items"]) == 3


# What it takes ------------------------------------------------------------------------------
def test_ticks_are_taken(client, grid, grid_ballot):
    ticked = members(grid)[1:3]
    answer = client.post(VOTES, grid_ballot(grid, ticked))
    assert answer.status_code == 201
    vote = Vote.objects.get()
    assert (vote.answer, vote.path, vote.ticked) == ("sorted", [], ticked)
    assert vote.grid_text == f"2 of {grid.members.count()} ticked"
    assert answer.json()["answer"] == "sorted"
    assert answer.json()["ticked"] == ticked
    assert answer.json()["path"] == []
    assert answer.json()["gold"] is None


def test_nothing_ticked_means_that_all_belong(client, grid, grid_ballot):
    assert client.post(VOTES, grid_ballot(grid)).status_code == 201
    assert Vote.objects.get().ticked == []


def test_too_mixed_to_say_is_an_answer(client, grid, grid_ballot):
    assert client.post(VOTES, grid_ballot(grid, [], "too_mixed")).json()["answer"] == "too_mixed"
    assert Vote.objects.get().grid_text == "Too mixed to say"


def test_an_account_answers_a_grid_and_one_without_the_right_does_not(grid, grid_ballot):
    for user, status in ((make_annie(), 201), (make_charlie(), 403)):
        client = APIClient()
        client.force_login(user)
        assert client.post(VOTES, grid_ballot(grid)).status_code == status
    assert Vote.objects.get().volunteer.user.username == "annie"


def test_nobody_answers_a_grid_without_a_cookie(grid, grid_ballot):
    error_of(APIClient().post(VOTES, grid_ballot(grid)), 403, "volunteer_unknown")


def test_somebody_elses_uuid_is_refused(client, grid, grid_ballot):
    theirs = make_vote(grid, answer="sorted", path=[], ticked=[])
    body = grid_ballot(grid, client_uuid=str(theirs.client_uuid))
    error_of(client.post(VOTES, body), 409, "client_uuid_taken")


def test_a_replay_is_the_same_vote_with_its_first_ticks(client, grid, grid_ballot):
    body = grid_ballot(grid, members(grid)[:1])
    first = client.post(VOTES, body)
    again = client.post(VOTES, {**body, "grid": {"verdict": "too_mixed", "ticked": []}})
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()


def test_a_stranger_cannot_be_ticked(client, campaign, grid, grid_ballot):
    inside = set(members(grid))
    subjects = campaign.sorting.survey.subjects.values_list("pk", flat=True)
    stranger = next(key for key in subjects if key not in inside)
    answer = client.post(VOTES, grid_ballot(grid, [members(grid)[0], stranger]))
    error = error_of(answer, 400, "answer_invalid")
    assert error["message"] == f"Subject {stranger} is no member of this grid."
    assert not Vote.objects.exists()


def test_no_member_is_ticked_twice(client, grid, grid_ballot):
    answer = client.post(VOTES, grid_ballot(grid, [members(grid)[0]] * 2))
    assert "ticked once at most" in error_of(answer, 400, "answer_invalid")["message"]


def test_too_mixed_has_no_ticks(client, grid, grid_ballot):
    answer = client.post(VOTES, grid_ballot(grid, members(grid)[:1], "too_mixed"))
    assert "has no ticks" in error_of(answer, 400, "answer_invalid")["message"]


def test_a_grid_takes_no_path(client, grid, ballot):
    error = error_of(client.post(VOTES, ballot(grid)), 400, "answer_invalid")
    assert error["message"] == "This item shows a grid; answer it with a grid, not with a path."


def test_a_prototype_takes_no_ticks(client, campaign, grid_ballot):
    item = campaign.items.filter(kind="prototype")[0]
    error = error_of(client.post(VOTES, grid_ballot(item)), 400, "answer_invalid")
    assert error["message"] == "This item shows no grid; answer it with a path, not with a grid."


def test_path_and_grid_at_once_are_refused(client, grid, grid_ballot):
    answer = client.post(VOTES, grid_ballot(grid, path=["frii"]))
    assert error_of(answer, 400, "invalid")["fields"] == {
        "grid": "A vote has a path or a grid, not both."
    }


def test_neither_path_nor_grid_is_refused(client, grid, ballot):
    body = ballot(grid)
    del body["path"]
    error = error_of(client.post(VOTES, body), 400, "invalid")
    assert error["fields"] == {"path": "A vote needs a path, or a grid."}


@pytest.mark.parametrize(
    "sent",
    [
        None,
        [],
        "sorted",
        {},
        {"verdict": "sorted"},
        {"ticked": []},
        {"verdict": "mixed", "ticked": []},
        {"verdict": "sorted", "ticked": None},
        {"verdict": "sorted", "ticked": "1"},
        {"verdict": "sorted", "ticked": [0]},
        {"verdict": "sorted", "ticked": [1.5]},
        {"verdict": "sorted", "ticked": [2**63]},
        {"verdict": "sorted", "ticked": [[1]]},
        {"verdict": "sorted", "ticked": list(range(1, 18))},
    ],
)
def test_what_is_no_answer_to_a_grid_names_its_field(client, grid, grid_ballot, sent):
    body = {**grid_ballot(grid), "grid": sent}
    answer = client.generic("POST", VOTES, json.dumps(body), "application/json")
    assert "grid" in error_of(answer, 400, "invalid")["fields"]
    assert not Vote.objects.exists()


def test_a_verdict_that_is_none_is_refused_whoever_asks(grid):
    with pytest.raises(AnswerError, match=r"one of sorted, too_mixed; got 'all'\."):
        vote_record(
            volunteer=make_volunteer(),
            item_id=grid.pk,
            question_version=1,
            grid=GridAnswer("all"),
            client_uuid="5f1c8a51-7c31-4df0-8a1a-5a4f1b1f9a10",
            seconds=1.0,
            answered_at=timezone.now(),
        )


# How it counts ------------------------------------------------------------------------------
def test_a_grid_retires_after_its_own_number_of_votes(campaign, grid, grid_ballot):
    Campaign.objects.update(votes_per_grid=2, votes_to_retire=5)
    for n_votes in (1, 2):
        client = APIClient()
        client.post(f"/api/campaigns/{campaign.slug}/next/", {})
        assert client.post(VOTES, grid_ballot(grid)).status_code == 201
        grid.refresh_from_db()
        assert (grid.retired_at is not None) == (n_votes == 2)
    assert grid.retired_because == "count"


def test_a_grid_that_lost_a_vote_is_asked_again(campaign, grid):
    annie, anonymous = make_volunteer(make_annie()), make_volunteer()
    for volunteer in (annie, anonymous):
        make_vote(grid, volunteer=volunteer, answer="sorted", path=[], ticked=[])
    Item.objects.filter(pk=grid.pk).update(retired_at=timezone.now(), retired_because="count")
    votes_move(giver=anonymous, taker=annie)
    grid.refresh_from_db()
    assert (grid.n_votes, grid.retired_at) == (1, None)
    assert [vote.ticked for vote in votes_of(annie)] == [[]]


def test_a_grid_counts_as_an_item_but_covers_no_prototype(campaign, grid):
    n_items = campaign.items.count()
    make_vote(grid, answer="sorted", path=[], ticked=members(grid)[:1])
    assert campaign_progress(campaign).n_items == n_items
    assert campaign_coverage(campaign).n_covered == 0


def test_a_verdict_on_a_grid_is_no_vote_on_its_prototype(campaign, grid):
    whole = campaign.items.get(kind="prototype", prototype=grid.prototype)
    make_vote(whole, answer="bent")
    make_vote(grid, answer="sorted", path=[], ticked=[])
    run = make_consensus_run(campaign)
    assert votes_on_prototype(campaign, grid.prototype) == {"bent": 1}
    assert prototype_posterior(run, grid.prototype).item == whole
    member = grid.members.all()[0].subject
    said = {each.vote.item: each.label.key for each in standing_of(member).votes}
    assert said == {whole: "bent", grid: grid.label}


def test_my_answers_show_grids_in_words(client, grid, grid_ballot, django_assert_max_num_queries):
    client.post(VOTES, grid_ballot(grid, members(grid)[:2]))
    with django_assert_max_num_queries(9):
        page = client.get("/me/")
    assert f"2 of {grid.members.count()} ticked" in page.content.decode()
    assert f"/pictures/prototypes/{grid.prototype_id}.png" in page.content.decode()
    assert client.get("/api/votes/mine/").json()["results"][0]["ticked"] == members(grid)[:2]


# What the database refuses ------------------------------------------------------------------
@pytest.mark.parametrize(
    "change",
    [
        {"kind": "grid", "label": ""},
        {"kind": "grid", "prototype": None},
        {"kind": "prototype", "label": "frii"},
        {"kind": "gold", "label": "frii"},
        {"kind": "subject", "label": ""},
        {"priority": -0.5},
    ],
)
def test_a_grid_that_is_none_is_refused(grid, change):
    with pytest.raises(IntegrityError), transaction.atomic():
        Item.objects.filter(pk=grid.pk).update(**change)


def test_a_member_has_one_place_of_sixteen(campaign, grid):
    subject = campaign.items.filter(kind="audit")[0].subject_id
    first = members(grid)[0]
    for wrong in (
        {"subject_id": first, "place": 16},
        {"subject_id": subject, "place": 1},
        {"subject_id": subject, "place": 0},
        {"subject_id": subject, "place": 17},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            GridMember.objects.create(item=grid, **wrong)
    GridMember.objects.create(item=grid, subject_id=subject, place=16)


def test_ticks_without_a_verdict_are_refused(grid):
    with pytest.raises(IntegrityError), transaction.atomic():
        make_vote(grid, answer="frii", ticked=[])


@pytest.mark.parametrize(
    "change",
    [
        {"share_gold": -0.1},
        {"share_audit": -0.1},
        {"share_chance": 1.0},
        {"share_gold": 0.5, "share_audit": 0.3, "share_chance": 0.2},
        {"votes_cap": 0},
        {"votes_per_grid": 0},
    ],
)
def test_a_campaign_keeps_a_share_for_the_best(campaign, change):
    with pytest.raises(IntegrityError), transaction.atomic():
        Campaign.objects.filter(pk=campaign.pk).update(**change)
