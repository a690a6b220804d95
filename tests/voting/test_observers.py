"""Whoever asked for it hears of each new vote, and can never cost one."""

import logging
import uuid

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.utils import timezone

from protozoo.voting.exceptions import AlreadyVotedError
from protozoo.voting.models import Campaign, Vote
from protozoo.voting.votes import vote_record
from tests.factories import make_campaign, make_volunteer

pytestmark = pytest.mark.django_db

_heard = []


def listen(*, vote):
    _heard.append((vote.pk, vote.item.n_votes))


def spoil(*, vote):
    Campaign.objects.update(title="Spoilt")
    raise ZeroDivisionError


def break_the_database(*, vote):
    Vote.objects.create(client_uuid=vote.client_uuid)


@pytest.fixture
def item():
    _heard.clear()
    return make_campaign(title="Sound").items.filter(kind="prototype")[0]


@pytest.fixture
def observed_by(settings):
    def observe(*functions):
        settings.VOTE_OBSERVERS = [f"tests.voting.test_observers.{each}" for each in functions]

    return observe


def vote(item, **fields):
    return vote_record(
        **{
            "volunteer": make_volunteer(),
            "item_id": item.pk,
            "question_version": 1,
            "path": ["frii"],
            "client_uuid": uuid.uuid4(),
            "seconds": 1.0,
            "answered_at": timezone.now(),
            **fields,
        }
    )


def test_nobody_listens_who_was_not_named(item):
    vote(item)
    assert _heard == []


def test_each_new_vote_is_told_once(item, observed_by):
    observed_by("listen")
    annie, one = make_volunteer(), uuid.uuid4()
    first, _ = vote(item, volunteer=annie, client_uuid=one)
    again, is_new = vote(item, volunteer=annie, client_uuid=one)
    assert (again, is_new) == (first, False)
    with pytest.raises(AlreadyVotedError):
        vote(item, volunteer=annie)
    assert _heard == [(first.pk, 1)]


@pytest.mark.parametrize("broken", ["spoil", "break_the_database", "not_there"])
def test_an_observer_that_fails_costs_no_vote(item, observed_by, broken, caplog):
    observed_by(broken, "listen")
    with caplog.at_level(logging.ERROR, logger="protozoo.voting.observers"):
        made, is_new = vote(item)
    assert is_new
    assert Vote.objects.get() == made
    item.refresh_from_db()
    assert (item.n_votes, item.campaign.title) == (1, "Sound")
    assert _heard == [(made.pk, 1)]
    assert f"tests.voting.test_observers.{broken} failed on vote {made.pk}" in caplog.text


@pytest.mark.parametrize("wrong", ["not_there", "_heard"])
def test_a_wrong_name_is_a_system_check_with_a_hint(observed_by, wrong):
    observed_by(wrong)
    with pytest.raises(SystemCheckError, match=f"VOTE_OBSERVERS names .*{wrong}.*\n.*HINT: Name"):
        call_command("check")


def test_a_right_name_passes_the_check(observed_by):
    observed_by("listen")
    call_command("check")
