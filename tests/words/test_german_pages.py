import re
from html.parser import HTMLParser

import pytest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from protozoo.config.catalogues import Catalogue
from protozoo.consensus.models import SplitProposal
from protozoo.voting.models import Item
from tests import factories

pytestmark = pytest.mark.django_db

# Attributes that people hear or read; programs read all others.
WORDED = {"alt", "aria-label", "content", "data-props", "lang", "placeholder", "title"}
# What differs from request to request.
TOKENS = {"csrfmiddlewaretoken"}
# Texts shorter than this may stand in both languages.
FEWEST_WORDS = 4
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|\{\w*\}|<[^>]*>")


class Reading(HTMLParser):
    """What a page says, and all attributes that are no words."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.said: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.feed(page)

    def handle_starttag(self, tag, attributes) -> None:
        named = dict(attributes)
        self.said += [value or "" for name, value in attributes if name in WORDED]
        is_switch = named.get("name") in {"language", *TOKENS}
        if not is_switch and named.get("rel") != "modulepreload":
            self.attributes += [(tag, *each) for each in attributes if each[0] not in WORDED]

    def handle_data(self, data) -> None:
        self.said.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.said).split())


@pytest.fixture
def addresses(client) -> list[str]:
    """Make something of everything, and give the addresses of its pages."""
    scientist = factories.make_user(role="admin")
    client.force_login(scientist)
    campaign = factories.make_campaign()
    factories.make_votes(campaign)
    factories.make_grid(campaign)
    run = factories.make_consensus_run(campaign)
    release = factories.make_release(run)
    job = factories.make_job()
    prototype = campaign.sorting.prototypes.filter(n_members__gt=0)[0]
    subject = campaign.items.filter(kind=Item.Kind.OUTLIER)[0].subject
    factories.make_review(subject, campaign=campaign, reviewer=scientist)
    SplitProposal.objects.create(
        campaign=campaign, prototype=prototype, purity=0.52, probability_mixed=0.71
    )
    campaign.items.filter(prototype=prototype).update(retired_because=Item.Retirement.CAP)
    of_campaign = [
        reverse(name, args=[campaign.slug])
        for name in (
            "campaign",
            "guide",
            "campaign-credits",
            "classify",
            "campaign-splits",
            "campaign-strange",
            "campaign-undecided",
        )
    ]
    of_rows = [
        reverse(name, args=[row.pk])
        for name, row in {
            "sorting-map": campaign.sorting,
            "sorting-outliers": campaign.sorting,
            "prototype": prototype,
            "subject": subject,
            "release": release,
            "job": job,
        }.items()
    ]
    alone = [
        reverse(name)
        for name in (
            "home",
            "releases",
            "jobs",
            "credits",
            "my-votes",
            "my-favourites",
            "my-thanks",
            "leave",
            "account_change_password",
            "account_email",
            "account_logout",
        )
    ]
    return [*of_campaign, *of_rows, *alone, "/nowhere/"]


STRANGERS = ("account_login", "account_signup", "account_reset_password", "my-votes")


def read(client, address: str, language: str) -> Reading:
    page = client.get(address, headers={"accept-language": language})
    assert page.status_code in {200, 404}, address
    return Reading(page.content.decode())


def english_fragments() -> list[str]:
    """Give what no German page may say: texts, cut where a value is filled in."""
    found = set()
    for message in Catalogue("de").read():
        texts = [message.id] if isinstance(message.id, str) else message.id
        said = [message.string] if isinstance(message.string, str) else message.string
        for text in texts:
            for part in PLACEHOLDER.split(text):
                part = " ".join(part.split())
                is_long = len(part.split()) >= FEWEST_WORDS
                if is_long and not any(part in each for each in said):
                    found.add(part)
    return sorted(found)


def test_german_pages_say_nothing_in_english(client, addresses) -> None:
    fragments = english_fragments()
    assert len(fragments) > 300
    left = {
        (address, fragment)
        for address in addresses
        for text in [read(client, address, "de").text]
        for fragment in fragments
        if fragment in text
    }
    client.logout()
    for name in STRANGERS:
        text = read(client, reverse(name), "de").text
        left |= {(name, fragment) for fragment in fragments if fragment in text}
    assert left == set()


def test_what_programs_read_is_the_same_in_german(client, addresses) -> None:
    for address in addresses:
        english = read(client, address, "en").attributes
        german = read(client, address, "de").attributes
        assert german == english, address


def test_numbers_are_read_with_a_comma(client) -> None:
    sorting = factories.make_sorting()
    german = read(client, reverse("sorting-map", args=[sorting.pk]), "de").text
    assert re.search(r"Quantisierungsfehler \d,\d", german)
    english = read(client, reverse("sorting-map", args=[sorting.pk]), "en").text
    assert re.search(r"Quantization error \d\.\d", english)


def test_tables_for_programs_are_the_same_in_german(client) -> None:
    campaign = factories.make_campaign()
    factories.make_votes(campaign)
    client.force_login(factories.make_user(role="admin"))
    for name in ("classifications", "subjects", "workflows"):
        address = reverse("zooniverse-table", args=[campaign.slug, name])
        english, german = (
            b"".join(client.get(address, headers={"accept-language": language}))
            for language in ("en", "de")
        )
        assert english.count(b"\n") > 1
        assert german == english, name


def test_even_a_broken_page_is_german() -> None:
    with translation.override("de"):
        page = render_to_string("500.html")
    assert '<html lang="de">' in page
    assert "Bei uns ist etwas kaputtgegangen" in page
