"""Marks come tidily with a vote on a picture, or are refused with the mark and the reason."""

import pytest
from rest_framework.test import APIClient

from protozoo.voting.exceptions import MarksError
from protozoo.voting.marks import marks_check
from protozoo.voting.models import Vote
from protozoo.voting.trees import default_tree
from tests.factories import make_campaign, make_grid, make_sorting, make_survey

VOTES = "/api/votes/"

# The pictures of the survey of tests have 16 pixels of 1.8 arcsec: they end at 14.4 arcsec.
HOST = {"role": "host", "shape": "point", "x_arcsec": 1.5, "y_arcsec": -2}
BOX = {
    "role": "component", "shape": "box", "x_arcsec": 0.0, "y_arcsec": 3.0, "width_arcsec": 4.0,
    "height_arcsec": 2.5,
}  # fmt: skip


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


def refusal(answer, code):
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, code)
    assert not Vote.objects.exists()
    return error["message"]


@pytest.mark.parametrize("kind", ["prototype", "outlier", "audit"])
def test_marks_come_with_a_vote(client, campaign, ballot, kind):
    item = campaign.items.filter(kind=kind)[0]
    answer = client.post(VOTES, ballot(item, marks=[HOST, BOX]))
    assert answer.status_code == 201, answer.content
    assert answer.json()["marks"] == Vote.objects.get().marks == [{**HOST, "y_arcsec": -2.0}, BOX]


def test_a_mark_on_the_very_edge_is_inside(client, item, ballot):
    edge = [{**HOST, "x_arcsec": -14.4, "y_arcsec": 14.5}, {**BOX, "x_arcsec": 12.4}]
    assert client.post(VOTES, ballot(item, marks=edge)).status_code == 201


@pytest.mark.parametrize(
    ("mark", "sentence"),
    [
        ({"role": "jet"}, "Mark 2 has the role 'jet'; the question offers component, host."),
        ({"role": "component"}, "Mark 2: the role 'component' is marked by a box, not by a point."),
        ({"width_arcsec": 2.0}, "Mark 2 is a point and has neither width nor height."),
        (
            {"x_arcsec": -16.3},
            "Mark 2 reaches 16.3 arcsec from the middle; the picture ends at 14.4.",
        ),
        ({"y_arcsec": 1e300}, "from the middle; the picture ends at 14.4."),
        ({**BOX, "height_arcsec": 0.0}, "Mark 2 is a box and needs a height_arcsec above zero"),
        ({**BOX, "width_arcsec": -1.0}, "needs a width_arcsec above zero, got -1.0."),
        ({**BOX, "y_arcsec": 14.0, "height_arcsec": 5.0}, "Mark 2 reaches 16.5 arcsec from"),
        ({"role": "component", "shape": "box"}, "needs a finite number width_arcsec, got None."),
    ],
)
def test_a_mark_that_does_not_fit_is_refused_by_its_number(client, item, ballot, mark, sentence):
    answer = client.post(VOTES, ballot(item, marks=[BOX, {**HOST, **mark}]))
    assert sentence in refusal(answer, "marks_invalid")


def test_a_role_has_no_more_marks_than_it_may(client, item, ballot):
    answer = client.post(VOTES, ballot(item, marks=[HOST, BOX, HOST]))
    sentence = "A picture takes no more than 1 of 'host'; these are 2."
    assert refusal(answer, "marks_invalid") == sentence


@pytest.mark.parametrize(
    "marks",
    ["host", [7], [{**HOST, "x_arcsec": "left"}], [{"role": "host"}], [{**HOST, "shape": "line"}]],
)
def test_marks_of_a_wrong_form_name_their_field(client, item, ballot, marks):
    assert "marks" in refusal(client.post(VOTES, ballot(item, marks=marks)), "invalid")


@pytest.mark.parametrize("number", [float("inf"), float("nan"), "3", None])
def test_a_position_that_is_no_number_is_refused(item, number):
    with pytest.raises(MarksError, match="Mark 1 needs a finite number x_arcsec, got"):
        marks_check([{**HOST, "x_arcsec": number}], tree=default_tree(), item=item)


def test_a_grid_takes_no_marks(client, campaign, ballot):
    body = ballot(make_grid(campaign), marks=[HOST], grid={"verdict": "sorted", "ticked": []})
    del body["path"]
    sentence = "A grid of members takes no marks."
    assert refusal(client.post(VOTES, body), "marks_invalid") == sentence


def test_pictures_of_unknown_scale_take_no_marks(client, campaign, ballot):
    unknown = make_campaign(sorting=make_sorting(survey=make_survey(pixel_scale_arcsec=None)))
    answer = client.post(VOTES, ballot(unknown.items.all()[0], marks=[HOST]))
    assert "is not known, so its pictures take no marks." in refusal(answer, "marks_invalid")


def test_a_question_without_roles_takes_no_marks(client, campaign, item, ballot):
    question = campaign.questions.get()
    del question.tree["marks"]
    question.save()
    answer = client.post(VOTES, ballot(item, marks=[HOST]))
    assert "'host'; the question offers none." in refusal(answer, "marks_invalid")
