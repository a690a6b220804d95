"""A small crowd works on a real web server, and nothing it was told is untrue."""

import uuid
from dataclasses import replace

import pytest
from django.db import connection
from django.utils import timezone

from protozoo.pipeline.serving import web_server_command
from protozoo.voting.models import Item, Vote
from tests.factories import make_campaign, make_volunteer, make_vote
from tests.load.campaign import SLUG, SMALL, accounts_make, campaign_make
from tests.load.findings import figures_of, findings_of
from tests.load.site import free_port, web_server
from tests.load.volunteers import Habits, Log, Sent, crowd_run

N_VOLUNTEERS, N_ANSWERS = 20, 6
# A machine that has much else to do may take long.
MOST_SECONDS = 120.0


def database_url() -> str:
    """Tell another process where the test's database is."""
    at = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{at['NAME']}"
    return f"postgresql://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}/{at['NAME']}"


@pytest.mark.django_db(transaction=True)
def test_a_crowd_loses_no_vote_and_sees_nothing_twice(storage) -> None:
    campaign = campaign_make(SMALL)
    accounts = accounts_make(2)
    address = f"127.0.0.1:{free_port()}"
    environment = {"DATABASE_URL": database_url(), "STORAGE_FOLDER": str(storage)}
    with web_server(web_server_command(address), address, environment):
        log = crowd_run(
            address=address,
            slug=SLUG,
            n_volunteers=N_VOLUNTEERS,
            seconds=MOST_SECONDS,
            most=N_ANSWERS,
            habits=replace(Habits(), pause_s=0.0, replays=0.1, changes=0.1, leaves=0.05),
            accounts=accounts,
        )
    assert {kind: found for kind, found in findings_of(campaign, log).items() if found} == {}
    figures = figures_of(campaign, log, MOST_SECONDS)
    assert figures["volunteers_who_voted"] == N_VOLUNTEERS
    assert figures["votes"] == N_VOLUNTEERS * N_ANSWERS + figures["votes_changed"]
    assert figures["votes_changed"] > 0


@pytest.mark.django_db
def test_what_is_wrong_is_found() -> None:
    campaign = make_campaign(votes_to_retire=1)
    item, other = campaign.items.filter(kind=Item.Kind.PROTOTYPE)[:2]
    vote = make_vote(item, answer="frii")
    stranger = make_vote(other, volunteer=make_volunteer())
    Item.objects.filter(pk=other.pk).update(n_votes=0)
    told = Sent(0, item.pk, str(vote.client_uuid), "compact", None, None)
    lost = Sent(1, item.pk, str(uuid.uuid4()), "compact", None, str(stranger.client_uuid))
    log = Log(sent=[told, lost], repeated=[(0, item.pk, "answered")], faults=["POST /: 500"])
    retired = campaign.items.exclude(pk__in=[item.pk, other.pk])[0]
    Item.objects.filter(pk=retired.pk).update(retired_at=timezone.now(), retired_because="gain")
    log.served.append((timezone.now().timestamp(), 0, retired.pk))
    found = {kind: len(lines) for kind, lines in findings_of(campaign, log).items() if lines}
    assert found == {
        "errors": 1,
        "shown again": 1,
        "lost votes": 1,
        "changed votes": 1,
        "votes of nobody": 1,
        "wrong counts": 1,
        "wrong retirement": 1,
        "retired without notice": 1,
    }
    assert Vote.objects.count() == 2
