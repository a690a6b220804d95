"""Marks are found again: on their picture, on the members of a prototype, and on the sky."""

import math

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from protozoo.voting.marked import marked_prototype, marked_subject
from tests.factories import make_campaign, make_single, make_vote


def host(x, y):
    return {"role": "host", "shape": "point", "x_arcsec": x, "y_arcsec": y}


def component(x, y, width, height):
    return {
        "role": "component", "shape": "box", "x_arcsec": x, "y_arcsec": y, "width_arcsec": width,
        "height_arcsec": height,
    }  # fmt: skip


@pytest.fixture
def campaign(db):
    return make_campaign()


@pytest.fixture
def prototype_item(campaign):
    return campaign.items.filter(kind="prototype")[0]


@pytest.fixture
def member(prototype_item):
    """A member mirrored and turned by a quarter into its prototype's frame, on the equator."""
    member = prototype_item.prototype.members.select_related("subject__survey")[0]
    member.angle_rad, member.is_flipped = math.pi / 2, True
    member.save()
    member.subject.ra_deg, member.subject.dec_deg = 90.0, 0.0
    member.subject.save()
    return member


def places(spots):
    return [(spot.role, round(spot.x_arcsec, 6), round(spot.y_arcsec, 6)) for spot in spots]


def test_what_people_agree_on_is_told_from_single_marks(prototype_item):
    for marks in ([host(1.0, 0.0)], [host(2.0, 0.0), component(5, 5, 3, 3)], [host(-9.0, 9.0)]):
        make_vote(prototype_item, marks=marks)
    picture = marked_prototype(prototype_item.prototype)
    assert picture.half_arcsec == pytest.approx(14.4)
    assert places(picture.agreed) == [("host", 1.5, 0.0)]
    agreed = picture.agreed[0]
    assert (agreed.n_volunteers, agreed.n_asked, agreed.volunteer) == (2, 3, None)
    assert agreed.scatter_arcsec == pytest.approx(0.5)
    assert (agreed.role_title, agreed.role_number, agreed.ra_deg) == ("Host", 2, None)
    assert sorted((spot.role, spot.volunteer) for spot in picture.marks) == [
        ("component", 2),
        ("host", 1),
        ("host", 2),
        ("host", 3),
    ]


def test_of_very_many_marks_the_first_ones_count(
    prototype_item, monkeypatch, django_assert_num_queries
):
    monkeypatch.setattr("protozoo.voting.marked.MOST_MARKERS", 2)
    for x in (1.0, 2.0, 7.0):
        make_vote(prototype_item, marks=[host(x, 0.0)])
    prototype = prototype_item.prototype
    assert prototype.sorting.survey
    with django_assert_num_queries(2):
        picture = marked_prototype(prototype)
    assert places(picture.marks) == [("host", 1.0, 0.0), ("host", 2.0, 0.0)]
    assert picture.agreed[0].n_asked == 2


def test_boxes_agree_in_place_and_size(prototype_item):
    for shift in (0.0, 0.5, 1.0):
        make_vote(prototype_item, marks=[component(shift, 2, 6, 4 + shift)])
    (agreed,) = marked_prototype(prototype_item.prototype).agreed
    assert (agreed.x_arcsec, agreed.width_arcsec, agreed.height_arcsec) == (0.5, 6.0, 4.5)


def test_only_those_who_marked_or_were_asked_to_count(prototype_item):
    question = prototype_item.campaign.questions.get()
    question.tree["questions"]["shape"]["answers"][1]["asks_marks"] = True  # FR I
    question.save()
    make_vote(prototype_item, marks=[host(1, 1)])
    make_vote(prototype_item, answer="compact")
    make_vote(prototype_item, answer="fri")
    (spot,) = marked_prototype(prototype_item.prototype).marks
    assert (spot.n_volunteers, spot.n_asked) == (1, 2)


def test_a_vote_that_counts_no_more_marks_nothing(prototype_item):
    make_vote(prototype_item, marks=[host(1, 1)], superseded_at=timezone.now())
    assert marked_prototype(prototype_item.prototype).marks == []


def test_marks_on_a_prototype_travel_to_its_member_and_to_the_sky(prototype_item, member):
    """The dot at (3, 1) is mirrored to (-3, 1) and turned to (-1, -3)."""
    make_vote(prototype_item, marks=[host(-1.0, -3.0), component(0, 0, 6, 2)])
    box, point = marked_subject(member.subject).marks
    assert (point.x_arcsec, point.y_arcsec) == pytest.approx((3.0, 1.0))
    assert point.prototype == prototype_item.prototype
    assert (point.angle_deg, box.angle_deg) == (0.0, pytest.approx(-90.0))
    assert (box.width_arcsec, box.height_arcsec) == (6.0, 2.0)
    assert point.ra_deg == pytest.approx(90.0 - 3.0 / 3600)
    assert point.dec_deg == pytest.approx(1.0 / 3600)


def test_marks_on_the_subject_itself_are_not_turned(campaign, prototype_item, member):
    item = make_single(campaign, "subject", member.subject)
    make_vote(item, marks=[host(3.0, 1.0)])
    make_vote(prototype_item, marks=[host(-1.0, -3.0)])
    own, inherited = marked_subject(member.subject).marks
    assert places([own]) == places([inherited]) == [("host", 3.0, 1.0)]
    assert (own.prototype, inherited.prototype) == (None, prototype_item.prototype)


def test_marks_of_one_picture_are_not_merged_with_those_of_another(
    campaign, prototype_item, member
):
    make_vote(make_single(campaign, "subject", member.subject), marks=[host(3.0, 1.0)])
    make_vote(prototype_item, marks=[host(-1.0, -3.0)])
    assert marked_subject(member.subject).agreed == []


# The API ------------------------------------------------------------------------------------
@pytest.fixture
def client():
    return APIClient()


def test_anybody_may_ask_what_is_marked(client, campaign, prototype_item, member):
    for _ in range(2):
        make_vote(prototype_item, marks=[host(-1.0, -3.0)])
    of_prototype = client.get(f"/api/prototypes/{prototype_item.prototype_id}/marks/").json()
    assert of_prototype["agreed"] == [
        {
            "role": "host",
            "role_title": "Host",
            "shape": "point",
            "x_arcsec": -1.0,
            "y_arcsec": -3.0,
            "width_arcsec": None,
            "height_arcsec": None,
            "angle_deg": 0.0,
            "ra_deg": None,
            "dec_deg": None,
            "prototype": None,
            "volunteer": None,
            "n_volunteers": 2,
            "n_asked": 2,
            "scatter_arcsec": 0.0,
        }
    ]
    assert [mark["volunteer"] for mark in of_prototype["marks"]] == [1, 2]
    of_subject = client.get(f"/api/subjects/{member.subject_id}/marks/").json()
    assert of_subject["agreed"][0]["prototype"] == prototype_item.prototype_id
    assert of_subject["agreed"][0]["x_arcsec"] == pytest.approx(3.0)


@pytest.mark.parametrize("what", ["prototypes", "subjects"])
def test_marks_of_what_is_not_there_are_not_found(client, db, what):
    answer = client.get(f"/api/{what}/999999/marks/")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


def test_pictures_without_marks_have_none(client, prototype_item, member):
    empty = {"half_arcsec": pytest.approx(14.4), "agreed": [], "marks": []}
    assert client.get(f"/api/subjects/{member.subject_id}/marks/").json() == empty
    assert client.get(f"/api/prototypes/{prototype_item.prototype_id}/marks/").json() == empty


def test_marks_are_found_by_few_queries(
    django_assert_max_num_queries, campaign, prototype_item, member
):
    for _ in range(5):
        make_vote(prototype_item, marks=[host(-1.0, -3.0)])
    with django_assert_max_num_queries(3):
        marked_subject(member.subject)
