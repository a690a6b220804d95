"""Subjects by API: lists, filters, cones."""

import pytest

from tests.factories import make_subject, make_subjects, make_survey

pytestmark = pytest.mark.django_db


def identifiers(client, query: str) -> list[str]:
    answer = client.get(f"/api/subjects/?{query}")
    assert answer.status_code == 200, answer.json()
    return [row["identifier"] for row in answer.json()["results"]]


def test_subjects_are_listed_in_pages_with_few_queries(client, django_assert_max_num_queries):
    make_subjects(30)
    with django_assert_max_num_queries(2):
        answer = client.get("/api/subjects/?page_size=20").json()
    assert (answer["count"], len(answer["results"])) == (30, 20)
    assert answer["results"][0]["picture"].startswith("http://testserver/pictures/subjects/")
    assert answer["results"][0]["page"].startswith("http://testserver/subjects/")


def test_subjects_can_be_filtered_by_survey_and_name(client):
    make_subjects(2, survey=make_survey("first"))
    make_subjects(3, survey=make_survey("nvss"))
    assert len(identifiers(client, "survey=nvss")) == 3
    assert identifiers(client, "survey=first&identifier=S00001") == ["S00001"]


def test_a_cone_gives_what_lies_inside(client):
    survey = make_survey()
    near = make_subject(survey=survey, ra_deg=359.999, dec_deg=10.0, identifier="near")
    make_subject(survey=survey, ra_deg=0.2, dec_deg=10.0, identifier="far")
    assert identifiers(client, "cone=0.0,10.0,0.01") == [near.identifier]


@pytest.mark.parametrize("cone", ["1,2", "a,b,c", "10,95,1", "10,20,-1", "nan,nan,nan"])
def test_a_bad_cone_is_refused(cone, client):
    answer = client.get(f"/api/subjects/?cone={cone}")
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "cone"


def test_a_subject_tells_all_its_columns(client):
    subject = make_subject(columns={"flux_mjy": 12.5})
    answer = client.get(f"/api/subjects/{subject.pk}/").json()
    assert answer["columns"] == {"flux_mjy": 12.5}
    assert answer["origin"] == "made.fits"


def test_an_unknown_subject_is_not_found(client):
    answer = client.get("/api/subjects/1/")
    assert answer.status_code == 404
    assert answer.json()["error"]["message"]
