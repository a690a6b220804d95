"""A prototype with its votes and members."""

import re

import pytest

from tests.factories import make_campaign, make_sorting

pytestmark = pytest.mark.django_db


def page(client, prototype, query: str = "") -> str:
    answer = client.get(f"/prototypes/{prototype.pk}/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def subjects_in(html: str) -> list[int]:
    return [int(key) for key in re.findall(r'href="/subjects/(\d+)/"', html)]


def test_class_votes_and_members_are_shown(client, zoo):
    prototype = zoo.sorting.prototypes.first()
    html = page(client, prototype)
    assert "What it is" in html
    assert "Votes" in html
    nearest_first = prototype.members.order_by("distance").values_list("subject_id", flat=True)
    assert subjects_in(html) == list(nearest_first)


def test_members_come_in_pages_both_ways(client, django_assert_max_num_queries):
    sorting = make_sorting(rows=1, columns=2, n_empty=1, n_subjects=60)
    prototype = sorting.prototypes.first()
    keys = list(prototype.members.order_by("distance").values_list("subject_id", flat=True))
    with django_assert_max_num_queries(8):
        first = page(client, prototype)
    assert subjects_in(first) == keys[:40] + keys[:-7:-1]
    assert subjects_in(page(client, prototype, "?page=2"))[:20] == keys[40:]
    assert subjects_in(page(client, prototype, "?order=farthest")) == keys[:19:-1]


def test_superseded_votes_do_not_count(client, zoo):
    prototype = zoo.sorting.prototypes.first()
    item = zoo.campaign.items.get(prototype=prototype)
    vote = item.votes.first()
    item.votes.exclude(pk=vote.pk).update(superseded_at=vote.received_at)
    assert page(client, prototype).count("<meter") == 7 + 1


def test_neighbours_are_linked(client, zoo):
    corner = zoo.sorting.prototypes.get(row=0, column=0)
    html = page(client, corner)
    found = {int(key) for key in re.findall(r'href="/prototypes/(\d+)/"', html)}
    near = zoo.sorting.prototypes.filter(row__in=[0, 1], column__in=[0, 1]).exclude(pk=corner.pk)
    assert found == set(near.values_list("pk", flat=True))


def test_an_empty_prototype_says_so(client, zoo):
    empty = zoo.sorting.prototypes.get(n_members=0)
    html = page(client, empty)
    assert "It has none." in html
    assert "Nobody has voted on it yet" in html


def test_before_a_campaign_nobody_was_asked(client):
    html = page(client, make_sorting().prototypes.first())
    assert "No campaign asks about this map yet." in html


def test_a_campaign_without_votes_is_named(client):
    campaign = make_campaign()
    html = page(client, campaign.sorting.prototypes.first())
    assert "Nobody has voted on it yet" in html
    assert campaign.title in html


def test_an_unknown_prototype_is_not_found(client):
    assert client.get("/prototypes/1/").status_code == 404


def test_a_page_number_beyond_the_end_gives_the_last(client, zoo):
    html = page(client, zoo.sorting.prototypes.first(), "?page=99&order=sideways")
    assert len(subjects_in(html)) == 8
