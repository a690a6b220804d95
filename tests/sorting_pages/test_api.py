"""Maps, members and outliers by API."""

import pytest

from protozoo.sorting.models import Sorting
from protozoo.sorting.selectors import outlier_histogram
from tests.factories import make_campaign, make_consensus_run, make_sorting, make_votes

pytestmark = pytest.mark.django_db


def test_maps_are_listed_with_few_queries(client, django_assert_max_num_queries):
    sorting = make_sorting()
    make_sorting(state=Sorting.State.TRAINING)
    with django_assert_max_num_queries(2):
        answer = client.get("/api/sortings/").json()
    assert answer["count"] == 2
    ready = client.get("/api/sortings/?state=ready").json()["results"]
    assert [row["id"] for row in ready] == [sorting.pk]


def test_a_map_tells_its_training(client):
    sorting = make_sorting()
    answer = client.get(f"/api/sortings/{sorting.pk}/").json()
    assert answer["history"] == [{"epoch": 1, "quantization_error": 0.7}]
    assert answer["survey"] == sorting.survey.slug


def test_prototypes_come_with_the_newest_runs_classes(client, django_assert_max_num_queries):
    sorting = make_sorting()
    campaign = make_campaign(sorting=sorting)
    make_votes(campaign)
    make_consensus_run(campaign)
    with django_assert_max_num_queries(4):
        rows = client.get(f"/api/sortings/{sorting.pk}/prototypes/").json()
    assert [row["unit"] for row in rows] == list(range(6))
    assert (rows[0]["label"], rows[0]["probability"]) == ("compact", 0.9)
    assert (rows[5]["n_members"], rows[5]["label"]) == (0, None)


def test_a_guess_without_votes_is_no_class(client):
    campaign = make_campaign()
    make_consensus_run(campaign)
    rows = client.get(f"/api/sortings/{campaign.sorting_id}/prototypes/").json()
    assert {row["label"] for row in rows} == {None}


def test_prototypes_without_a_run_have_no_class(client):
    sorting = make_sorting()
    rows = client.get(f"/api/sortings/{sorting.pk}/prototypes/").json()
    assert {row["label"] for row in rows} == {None}


def test_outliers_come_strangest_first(client, django_assert_max_num_queries):
    sorting = make_sorting(n_subjects=30)
    with django_assert_max_num_queries(4):
        rows = client.get(f"/api/sortings/{sorting.pk}/outliers/?page_size=5").json()["results"]
    assert [row["outlier_rank"] for row in rows] == [1, 2, 3, 4, 5]
    top = client.get(f"/api/sortings/{sorting.pk}/outliers/?outlier_rank__lte=2").json()
    assert top["count"] == 2


def test_members_come_most_alike_first(client, django_assert_max_num_queries):
    prototype = make_sorting().prototypes.first()
    with django_assert_max_num_queries(4):
        rows = client.get(f"/api/prototypes/{prototype.pk}/members/").json()["results"]
    distances = [row["distance"] for row in rows]
    assert distances == sorted(distances)
    assert len(rows) == prototype.n_members


def test_the_histogram_counts_every_subject(client, django_assert_max_num_queries):
    sorting = make_sorting(n_subjects=30)
    with django_assert_max_num_queries(4):
        answer = client.get(f"/api/sortings/{sorting.pk}/outlier-histogram/").json()
    assert sum(answer["counts"]) == 30
    assert answer["lowest"] < answer["highest"]


def test_a_histogram_bins_as_counting_by_hand():
    sorting = make_sorting(n_subjects=10, n_audit=0)
    for number, row in enumerate(sorting.assignments.order_by("pk")):
        row.outlier_score = [0.0, 0.0, 0.1, 0.24, 0.25, 0.5, 0.74, 0.76, 0.9, 1.0][number]
        row.save()
    histogram = outlier_histogram(sorting, n_bins=4)
    assert list(histogram.counts) == [4, 1, 2, 3]
    assert [histogram.edge(number) for number in (0, 2, 4)] == [0.0, 0.5, 1.0]


def test_equal_scores_fall_into_one_bin():
    sorting = make_sorting(n_subjects=6, n_audit=0)
    sorting.assignments.update(outlier_score=0.3)
    assert sum(outlier_histogram(sorting).counts) == outlier_histogram(sorting).counts[0] == 6


def test_a_map_without_subjects_has_an_empty_histogram(client):
    sorting = make_sorting()
    sorting.assignments.all().delete()
    answer = client.get(f"/api/sortings/{sorting.pk}/outlier-histogram/").json()
    assert answer == {"lowest": None, "highest": None, "counts": []}


@pytest.mark.parametrize(
    "address",
    [
        "sortings/1/",
        "sortings/1/prototypes/",
        "sortings/1/outliers/",
        "sortings/1/outlier-histogram/",
        "prototypes/1/members/",
    ],
)
def test_unknown_maps_are_not_found(address, client):
    answer = client.get(f"/api/{address}")
    assert answer.status_code == 404
    assert answer.json()["error"]["message"]


def test_a_bad_filter_is_refused(client):
    sorting = make_sorting()
    answer = client.get(f"/api/sortings/{sorting.pk}/outliers/?outlier_rank__lte=many")
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid"
