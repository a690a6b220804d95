"""Tags and comments come tidily with a vote, or are refused with a reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from protozoo.voting.exceptions import RemarksError
from protozoo.voting.models import Vote
from protozoo.voting.remarks import MAX_TAG, MAX_TAGS, Remarks, remarks_check, tags_check
from tests.factories import make_campaign

VOTES = "/api/votes/"


@pytest.fixture
def campaign(db):
    return make_campaign()


@pytest.fixture
def item(campaign):
    return campaign.items.filter(kind="prototype")[0]


@pytest.fixture
def client(campaign):
    client = APIClient()
    client.post(f"/api/campaigns/{campaign.slug}/next/", {})
    return client


def error_of(answer, code):
    assert answer.status_code == 400, answer.content
    assert answer.json()["error"]["code"] == code
    assert not Vote.objects.exists()
    return answer.json()["error"]["message"]


# Tidying ------------------------------------------------------------------------------------
def test_tags_are_small_letters_with_single_spaces_each_once():
    tags = [
        "  Bent\tTail ",
        "bent tail",
        "X-shaped",
        "",
        " \n",
        "bent\x00 tail",
        "STRASSE",
        "Straße",
    ]
    assert tags_check(tags) == ["bent tail", "x-shaped", "strasse"]


def test_a_tag_is_not_too_long_and_there_are_not_too_many():
    assert tags_check(["x" * MAX_TAG]) == ["x" * MAX_TAG]
    with pytest.raises(RemarksError, match=r"A tag has at most 40 characters; .* has 41\."):
        tags_check(["x" * (MAX_TAG + 1)])
    many = [f"tag {number}" for number in range(MAX_TAGS + 1)]
    assert len(tags_check([*many[:-1], *many[:-1]])) == MAX_TAGS
    with pytest.raises(RemarksError, match=r"gets at most 10 tags; these are 11\."):
        tags_check(many)


def test_a_comment_keeps_its_lines_and_loses_what_nobody_sees():
    said = "  Two\tlobes\x07,\r\n\r\nand a\u202e ring.\x1b[31m \n"
    assert remarks_check(Remarks(comment=said)).comment == "Two lobes,\n\nand a ring.[31m"
    assert remarks_check(Remarks(comment="x" * 1000 + " \x00 ")).comment == "x" * 1000
    with pytest.raises(RemarksError, match=r"at most 1,000 characters; this one has 1,001\."):
        remarks_check(Remarks(comment="x" * 1001))


@given(st.lists(st.text(max_size=15), max_size=MAX_TAGS), st.text(max_size=300))
def test_what_is_tidy_stays_as_it_is(tags, comment):
    tidy = remarks_check(Remarks(tags, is_strange=True, comment=comment))
    assert remarks_check(tidy) == tidy
    assert tidy.is_strange


# With a vote --------------------------------------------------------------------------------
def test_remarks_come_with_a_vote(client, item, ballot):
    remarks = {"tags": ["Ring ", "ring"], "is_strange": True, "comment": " What is this? "}
    answer = client.post(VOTES, ballot(item, remarks=remarks))
    assert answer.status_code == 201
    tidy = {"tags": ["ring"], "is_strange": True, "comment": "What is this?"}
    assert answer.json()["remarks"] == tidy
    vote = Vote.objects.get()
    assert (vote.tags, vote.is_strange, vote.comment) == (["ring"], True, "What is this?")


def test_a_vote_without_remarks_has_none(client, item, ballot):
    answer = client.post(VOTES, ballot(item))
    assert answer.json()["remarks"] == {"tags": [], "is_strange": False, "comment": ""}
    assert (answer.json()["marks"], answer.json()["supersedes"]) == ([], None)


@pytest.mark.parametrize(
    ("remarks", "sentence"),
    [
        ({"tags": ["x" * 41]}, "A tag has at most 40 characters"),
        ({"tags": [f"tag {n}" for n in range(11)]}, "at most 10 tags; these are 11."),
        ({"comment": "x" * 1001}, "A comment has at most 1,000 characters"),
    ],
)
def test_too_much_is_refused_with_a_reason(client, item, ballot, remarks, sentence):
    assert sentence in error_of(
        client.post(VOTES, ballot(item, remarks=remarks)), "remarks_invalid"
    )


@pytest.mark.parametrize(
    "remarks",
    [
        "strange",
        [],
        {"tags": "ring"},
        {"tags": [["ring"]]},
        {"tags": [None]},
        {"is_strange": "perhaps"},
        {"comment": {}},
        {"comment": "\x00"},
    ],
)
def test_remarks_of_a_wrong_form_name_their_field(client, item, ballot, remarks):
    assert "remarks" in error_of(client.post(VOTES, ballot(item, remarks=remarks)), "invalid")
