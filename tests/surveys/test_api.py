"""Surveys by API."""

import pytest

from tests.factories import make_subjects, make_survey

pytestmark = pytest.mark.django_db


def test_surveys_are_listed_with_their_numbers_of_subjects(client, django_assert_max_num_queries):
    make_subjects(3, survey=make_survey("first"))
    make_survey("nvss", licence="public domain")
    with django_assert_max_num_queries(2):
        answer = client.get("/api/surveys/").json()
    assert {row["slug"]: row["n_subjects"] for row in answer["results"]} == {"first": 3, "nvss": 0}


def test_a_survey_tells_licence_and_citation(client):
    survey = make_survey("first", citation="Becker et al. 1995")
    answer = client.get("/api/surveys/first/").json()
    assert (answer["licence"], answer["citation"]) == (survey.licence, "Becker et al. 1995")


def test_an_unknown_survey_is_not_found(client):
    answer = client.get("/api/surveys/nothing/")
    assert answer.status_code == 404
    assert answer.json()["error"]["message"]


def test_nobody_writes_surveys_by_api(client, admin_client):
    assert client.post("/api/surveys/", {}).status_code == 403
    assert admin_client.post("/api/surveys/", {}).status_code == 405
