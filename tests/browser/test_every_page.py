"""Every page of the site can be used by everyone, in light and in dark."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from protozoo.accounts.models import User
from protozoo.catalog.services import release_freeze
from protozoo.consensus.models import SplitProposal
from protozoo.consensus.services import consensus_run
from protozoo.voting.models import Campaign, Item, Vote
from protozoo.voting.votes import favourite_add
from tests.browser.accessibility import (
    moving,
    small_targets,
    violations_in_light_and_dark,
    without_ring,
)
from tests.browser.classify_page import ready
from tests.factories import (
    make_annie,
    make_campaign,
    make_edward,
    make_grid,
    make_job,
    make_review,
    make_single,
    make_sorting,
    make_volunteer,
    make_vote,
    make_votes,
    make_williamina,
)

ANYBODY, ANNIE, WILLIAMINA, EDWARD = "", "annie", "williamina", "edward"
# The narrowest phones.
NARROW = 360

# Whoever sees something of their own there looks at it; a page is opened once for each.
READERS: Mapping[str, tuple[str, ...]] = {
    "home": (ANYBODY, EDWARD),
    "campaign": (ANYBODY, WILLIAMINA),
    "classify": (ANYBODY,),
    "guide": (ANYBODY,),
    "campaign-credits": (ANYBODY,),
    "credits": (ANYBODY,),
    "my-votes": (ANYBODY, ANNIE),
    "my-favourites": (ANYBODY, ANNIE),
    "my-thanks": (ANNIE,),
    "leave": (ANYBODY, ANNIE),
    "sorting-map": (ANYBODY,),
    "sorting-outliers": (ANYBODY,),
    "prototype": (ANYBODY,),
    "subject": (ANYBODY, WILLIAMINA),
    "campaign-splits": (EDWARD,),
    "campaign-undecided": (WILLIAMINA,),
    "campaign-strange": (ANYBODY, WILLIAMINA),
    "releases": (ANYBODY,),
    "release": (ANYBODY,),
    "jobs": (EDWARD,),
    "job": (EDWARD,),
    "account_login": (ANYBODY,),
    "account_signup": (ANYBODY,),
    "account_inactive": (ANYBODY,),
    "account_reset_password": (ANYBODY,),
    "account_reset_password_done": (ANYBODY,),
    "account_reset_password_from_key": (ANYBODY,),
    "account_reset_password_from_key_done": (ANYBODY,),
    "account_confirm_email": (ANYBODY,),
    "account_logout": (ANNIE,),
    "account_email": (ANNIE,),
    "account_change_password": (ANNIE,),
    "account_reauthenticate": (ANNIE,),
}
NO_PAGES: Mapping[str, str] = {
    "item": "leads on to classify",
    "set-language": "takes a form",
    "my-votes-csv": "a file",
    "my-votes-json": "a file",
    "release-file": "a file",
    "zooniverse-table": "a file",
    "release-freeze": "takes a form",
    "subject-review": "takes a form",
    "campaign-split": "takes a form",
    "job-cancel": "takes a form",
    "job-retry": "takes a form",
    "account_email_verification_sent": "nobody is asked to verify",
    "account_set_password": "leads on to the change of a password",
    "account_confirm_login_code": "nobody signs in by a code",
    "schema": "a file",
    "api-docs": "the page of another project, Swagger",
}
NO_PAGES_UNDER = ("api/", "admin/", "pictures/", "pixels/")


def page_names(resolver: URLResolver, before: str = "") -> Iterator[str]:
    """Give the names of all addresses that may be pages of ours."""
    for one in resolver.url_patterns:
        path = before + str(one.pattern)
        if path.startswith(NO_PAGES_UNDER):
            continue
        if isinstance(one, URLPattern):
            yield one.name
        else:
            yield from page_names(one, path)


def test_every_page_is_looked_at() -> None:
    assert sorted({*page_names(get_resolver())} - {*NO_PAGES}) == sorted(READERS)


@dataclass(frozen=True)
class Site:
    """Something to see on every page."""

    campaign: Campaign
    addresses: Mapping[str, str]
    people: Mapping[str, User]


@pytest.fixture
def site(storage) -> Site:
    people = {ANNIE: make_annie(), WILLIAMINA: make_williamina(), EDWARD: make_edward()}
    sorting = make_sorting(
        n_subjects=40,
        with_pixels=True,
        history=[{"epoch": n, "quantization_error": 1 / n} for n in (1, 2, 3)],
    )
    campaign = make_campaign(sorting=sorting, slug="radio", votes_to_retire=9)
    make_single(campaign, "gold", label="frii")
    make_votes(campaign)
    make_grid(campaign)
    _answers_of(make_volunteer(people[ANNIE]), campaign)
    reviewed = campaign.items.filter(kind=Item.Kind.OUTLIER)[0]
    Item.objects.filter(pk=reviewed.pk).update(
        retired_at=timezone.now(), retired_because=Item.Retirement.CAP
    )
    make_review(reviewed.subject, campaign=campaign, reviewer=people[WILLIAMINA])
    consensus_run(campaign=campaign)
    shown = sorting.prototypes.filter(n_members__gt=0)[0]
    SplitProposal.objects.all().delete()
    SplitProposal.objects.create(
        campaign=campaign, prototype=shown, purity=0.4, probability_mixed=0.3
    )
    release = release_freeze(campaign=campaign)
    job = make_job(state="running", progress_done=10, progress_total=100, message="epoch 1")
    make_job(state="failed", error="The disk is full.", created_by=people[EDWARD])
    numbered = {
        "sorting-map": sorting.pk,
        "sorting-outliers": sorting.pk,
        "prototype": shown.pk,
        "subject": reviewed.subject_id,
        "release": release.pk,
        "job": job.pk,
        "account_confirm_email": "x",
        **dict.fromkeys(
            ("campaign", "classify", "guide", "campaign-credits", "campaign-splits"), "radio"
        ),
        "campaign-undecided": "radio",
        "campaign-strange": "radio",
    }
    addresses = {
        name: reverse(name, args=[numbered[name]] if name in numbered else [])
        for name in READERS
        if name != "account_reset_password_from_key"
    }
    addresses["account_reset_password_from_key"] = "/accounts/password/reset/key/x-y/"
    return Site(campaign, addresses, people)


def _answers_of(annie, campaign: Campaign) -> None:
    """Let Annie answer one of each kind, and keep one."""
    for kind in (Item.Kind.PROTOTYPE, Item.Kind.GOLD, Item.Kind.AUDIT):
        make_vote(
            campaign.items.filter(kind=kind)[0],
            volunteer=annie,
            is_strange=True,
            tags=["ring"],
            comment="A ring, I think.",
        )
    grid = campaign.items.get(kind=Item.Kind.GRID)
    make_vote(grid, volunteer=annie, answer=Vote.Verdict.SORTED, path=[], ticked=[])
    favourite_add(item=grid, volunteer=annie)


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_every_page_can_be_used_by_everyone(open_page, site: Site, live_server) -> None:
    page = open_page("/", color_scheme="light")
    wrong: dict[str, list[str]] = {}
    for who in (ANYBODY, ANNIE, WILLIAMINA, EDWARD):
        page.context.clear_cookies(name="sessionid")
        if who:
            log_in(page, site.people[who], live_server.url)
        for name, readers in READERS.items():
            if who in readers:
                page.goto(site.addresses[name])
                wrong[f"{name} for {who or 'anybody'}"] = faults(page, name)
    page.goto("/nothing/")
    wrong["a page that is not there"] = faults(page, "404")
    assert {where: found for where, found in wrong.items() if found} == {}


def faults(page: Page, name: str) -> list[str]:
    """Look at a page as it is, then in dark, on a phone, and by the tab key."""
    if name == "classify":
        ready(page)
    expect(page.locator("h1").first).to_be_attached()
    found = [*violations_in_light_and_dark(page), *moving(page)]
    wide = page.viewport_size
    page.set_viewport_size({"width": NARROW, "height": 844})
    width = page.evaluate("document.documentElement.scrollWidth")
    if width > NARROW:
        found.append(f"{width} pixels wide on a phone of {NARROW}")
    page.set_viewport_size(wide)
    return found + without_ring(page)


BAD = """
<!doctype html><html><head><style>
  html { color-scheme: light dark }
  body { background: light-dark(white, black) }
  p { color: #999 }
  button { width: 9px; height: 9px }
  button:focus { outline: none } @keyframes turn { to { rotate: 1turn } }
  p { animation: turn 9s infinite }
</style></head>
<body><p>A page</p><img src="data:,"><button>a</button><button>b</button></body></html>
"""


@pytest.mark.browser
def test_what_keeps_people_out_is_found(browser) -> None:
    page = browser.new_page(color_scheme="light")
    page.set_content(BAD)
    found = " ".join(violations_in_light_and_dark(page))
    for rule in ("image-alt", "html-has-lang", "color-contrast", "target-size"):
        assert rule in found
    assert "dark, " not in found
    assert moving(page) == ["turn moves"]
    assert len(without_ring(page)) == len(small_targets(page, "body")) == 2
    page.close()


def log_in(page: Page, user: User, site: str) -> None:
    client = Client()
    client.force_login(user)
    cookie = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": site}])
