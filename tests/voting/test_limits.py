"""Scripts are slowed down; people, classrooms and the site's own network are not."""

import uuid

import pytest
from django.core.cache import cache
from django.utils import timezone
from rest_framework.test import APIClient

from protozoo.accounts.models import Volunteer
from protozoo.voting.models import Vote
from tests.factories import make_campaign

pytestmark = pytest.mark.django_db

SCHOOL, ELSEWHERE = "8.8.8.8", "9.9.9.9"


@pytest.fixture(autouse=True)
def counts_from_zero(settings, monkeypatch):
    cache.clear()
    settings.NEW_VOLUNTEERS_PER_HOUR = 3
    settings.VOTES_PER_MINUTE = 2
    monkeypatch.setattr("protozoo.voting.limits.time", lambda: 3600.0 * 500_000 + 60)
    yield
    cache.clear()


@pytest.fixture
def campaign():
    return make_campaign()


def ask(campaign, client=None, *, address=SCHOOL, **headers):
    browser = client or APIClient()
    return browser.post(f"/api/campaigns/{campaign.slug}/next/", REMOTE_ADDR=address, **headers)


def vote(client, item, *, address=SCHOOL):
    body = {
        "client_uuid": str(uuid.uuid4()),
        "item": item.pk,
        "question_version": 1,
        "path": ["frii"],
        "seconds": 1.0,
        "answered_at": timezone.now().isoformat(),
    }
    return client.post("/api/votes/", body, REMOTE_ADDR=address)


def test_very_many_newcomers_from_one_address_have_to_wait(campaign):
    assert [ask(campaign).status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = ask(campaign)
    assert refused.json()["error"]["code"] == "throttled"
    assert refused.json()["error"]["message"].startswith("Very many new volunteers")
    assert refused["Retry-After"] == "3540"
    assert Volunteer.objects.count() == 3
    assert ask(campaign, address=ELSEWHERE).status_code == 200


def test_a_network_of_addresses_is_one_visitor(campaign):
    addresses = [f"2001:4860:4860::{n}" for n in range(4)]
    codes = [ask(campaign, address=address).status_code for address in addresses]
    assert codes == [200, 200, 200, 429]
    assert ask(campaign, address="2001:4860:4861::1").status_code == 200


def test_the_next_hour_begins_anew(campaign, monkeypatch):
    for _ in range(4):
        ask(campaign)
    monkeypatch.setattr("protozoo.voting.limits.time", lambda: 3600.0 * 500_001)
    assert ask(campaign).status_code == 200


def test_whoever_is_known_is_never_counted_as_a_newcomer(campaign):
    client = APIClient()
    assert {ask(campaign, client).status_code for _ in range(6)} == {200}


@pytest.mark.parametrize("address", ["127.0.0.1", "192.168.1.7", "::1", ""])
def test_the_sites_own_network_is_not_counted(campaign, address):
    assert {ask(campaign, address=address).status_code for _ in range(5)} == {200}


def test_behind_a_proxy_the_visitors_address_counts(campaign, monkeypatch):
    monkeypatch.setattr("rest_framework.throttling.api_settings.NUM_PROXIES", 1, raising=False)
    visitors = [{"HTTP_X_FORWARDED_FOR": f"1.1.1.1, {SCHOOL}"}] * 4
    codes = [ask(campaign, address="127.0.0.1", **each).status_code for each in visitors]
    assert codes == [200, 200, 200, 429]
    other = {"HTTP_X_FORWARDED_FOR": ELSEWHERE}
    assert ask(campaign, address="127.0.0.1", **other).status_code == 200


def test_votes_faster_than_anybody_can_look_have_to_wait(campaign):
    client, other = APIClient(), APIClient()
    ask(campaign, client)
    ask(campaign, other)
    items = list(campaign.items.all()[:4])
    assert [vote(client, item).status_code for item in items] == [201, 201, 429, 429]
    assert Vote.objects.count() == 2
    assert vote(other, items[0]).status_code == 201
    assert vote(client, items[2], address="127.0.0.1").status_code == 201


def test_nought_is_no_limit(campaign, settings):
    settings.NEW_VOLUNTEERS_PER_HOUR = settings.VOTES_PER_MINUTE = 0
    client = APIClient()
    assert {ask(campaign).status_code for _ in range(5)} == {200}
    ask(campaign, client)
    assert {vote(client, item).status_code for item in campaign.items.all()[:4]} == {201}
