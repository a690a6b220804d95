"""The strangest subjects, and how strange all are."""

import re

import pytest

from tests.factories import make_campaign, make_sorting

pytestmark = pytest.mark.django_db


def page(client, sorting, query: str = "") -> str:
    answer = client.get(f"/sortings/{sorting.pk}/outliers/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_strangest_come_first(client, django_assert_max_num_queries):
    sorting = make_sorting(n_subjects=60)
    with django_assert_max_num_queries(8):
        html = page(client, sorting)
    ranked = sorting.assignments.order_by("outlier_rank").values_list("subject_id", flat=True)
    found = [int(key) for key in re.findall(r'href="/subjects/(\d+)/"', html)]
    assert found == list(ranked[:48])
    second = page(client, sorting, "?page=2")
    assert 'start="49"' in second


def test_what_volunteers_see_is_marked(client, zoo):
    html = page(client, zoo.sorting)
    assert html.count("outlier-asked") == 3
    assert "chart-threshold" in html
    assert "histogram__bar--marked" in html


def test_without_a_campaign_nothing_is_marked(client):
    html = page(client, make_sorting())
    assert "outlier-asked" not in html
    assert "chart-threshold" not in html


def test_a_campaign_without_outliers_marks_nothing(client):
    html = page(client, make_campaign(n_outliers=0).sorting)
    assert "histogram__bar--marked" not in html


def test_the_histogram_stands_in_a_table_too(client, zoo):
    html = page(client, zoo.sorting)
    counts = re.findall(r'<td class="number">(\d+)</td></tr>', html)
    assert sum(int(count) for count in counts) == 40


def test_before_the_projection_nothing_is_ranked(client):
    sorting = make_sorting()
    sorting.assignments.all().delete()
    assert "Nothing is ranked yet" in page(client, sorting)


def test_an_unknown_map_is_not_found(client):
    assert client.get("/sortings/1/outliers/").status_code == 404
