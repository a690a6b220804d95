"""The clickable sheet of a map."""

import pytest

from protozoo.sorting.models import Sorting
from tests.factories import make_campaign, make_sorting

pytestmark = pytest.mark.django_db


def page(client, sorting, query: str = "") -> str:
    answer = client.get(f"/sortings/{sorting.pk}/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_anybody_sees_every_prototype_as_a_link(client, zoo):
    html = page(client, zoo.sorting)
    for prototype in zoo.sorting.prototypes.all():
        assert f'href="/prototypes/{prototype.pk}/"' in html
    assert 'aria-label="prototype 0, 0: 8 members, Compact (90%)"' in html
    assert 'aria-label="prototype 1, 2: no members"' in html


def test_a_larger_map_costs_no_more_queries(client, zoo, django_assert_max_num_queries):
    with django_assert_max_num_queries(5):
        page(client, zoo.sorting)
    large = make_sorting(rows=8, columns=8, n_subjects=70)
    make_campaign(sorting=large)
    with django_assert_max_num_queries(5):
        page(client, large)


@pytest.mark.parametrize("name", ["class", "hits", "umatrix", "entropy", "pictures"])
def test_the_address_chooses_the_overlay(name, client, zoo):
    html = page(client, zoo.sorting, f"?show={name}")
    assert f'data-show="{name}" aria-current="true"' in html
    assert html.count('aria-current="true"') == 1


def test_an_unknown_overlay_falls_back(client, zoo):
    assert 'data-show="class" aria-current="true"' in page(client, zoo.sorting, "?show=<script>")


def test_before_votes_are_merged_there_is_no_class(client, django_assert_max_num_queries):
    html = page(client, make_campaign().sorting)
    assert 'data-show="hits" aria-current="true"' in html
    assert "?show=class" not in html


def test_a_map_without_a_campaign_is_shown(client):
    assert "map-cell" in page(client, make_sorting())


def test_a_map_in_training_says_so(client):
    sorting = make_sorting(state=Sorting.State.TRAINING)
    sorting.prototypes.all().delete()
    assert "This map is not drawn yet" in page(client, sorting)


def test_a_hexagonal_map_shifts_odd_rows(client):
    html = page(client, make_sorting(topology="hexagonal"))
    assert "translate(0.0 7.7)" in html
    assert "translate(50.0 94.3)" in html


def test_training_is_drawn_once_there_are_two_epochs(client):
    history = [{"epoch": n, "quantization_error": 1 / n} for n in (1, 2, 3)]
    assert "<polyline" in page(client, make_sorting(history=history))
    assert "<polyline" not in page(client, make_sorting(history=history[:1]))


def test_no_inline_style_or_script_is_needed(client, zoo):
    html = page(client, zoo.sorting)
    assert "style=" not in html
    assert "onclick" not in html


def test_numbers_keep_their_point_in_any_language(client, zoo):
    answer = client.get(f"/sortings/{zoo.sorting.pk}/", headers={"Accept-Language": "de"})
    assert "translate(100.0 0.0)" in answer.content.decode()


def test_an_unknown_map_is_not_found(client):
    assert client.get("/sortings/1/").status_code == 404


def test_maps_are_only_read(client, zoo):
    assert client.post(f"/sortings/{zoo.sorting.pk}/").status_code == 405
