"""The pages for volunteers: home, a campaign, classify, and my answers."""

from dataclasses import dataclass
from typing import Final

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from protozoo.accounts.selectors import volunteer_of_request
from protozoo.sorting.pictures import prototype_picture_url
from protozoo.subjects.pictures import subject_picture_url
from protozoo.voting.guide import guide_of
from protozoo.voting.models import Vote
from protozoo.voting.selectors import campaigns_public, items_public, question_newest, votes_of
from protozoo.voting.showcase import (
    NumberedAnswer,
    campaign_card,
    campaign_cards,
    campaign_coverage,
    numbered_answers,
)

VOTES_PER_PAGE: Final = 50
PICTURES_OF_CAMPAIGN: Final = 12
PICTURE_SIZE: Final = 128


@dataclass(frozen=True)
class OwnAnswer:
    """One vote in words; `known` is what its grid was called or experts call its gold subject."""

    vote: Vote
    picture: str
    answer: NumberedAnswer | None
    known: NumberedAnswer | None


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "voting/home.html", {"cards": campaign_cards(campaigns_public())})


@require_safe
def campaign(request: HttpRequest, slug: str) -> HttpResponse:
    shown = get_object_or_404(campaigns_public(), slug=slug)
    card = campaign_card(shown, n_pictures=PICTURES_OF_CAMPAIGN)
    coverage = campaign_coverage(shown)
    context = {
        "campaign": shown,
        "card": card,
        "coverage": coverage,
        "votes_per_subject": coverage.votes_per_subject(card.progress.n_votes),
        "votes_one_by_one": coverage.votes_one_by_one(shown.votes_to_retire),
        "answers": numbered_answers(question_newest(shown).tree),
    }
    return render(request, "voting/campaign.html", context)


@require_safe
@ensure_csrf_cookie
def classify(request: HttpRequest, slug: str) -> HttpResponse:
    shown = get_object_or_404(campaigns_public(), slug=slug)
    question = question_newest(shown)
    props = {
        "question": {"version": question.version, "tree": question.tree},
        "suggested_tags": shown.suggested_tags,
        "addresses": {
            "next": reverse("api-next", args=[shown.slug]),
            "votes": reverse("api-votes"),
            "campaign": reverse("campaign", args=[shown.slug]),
        },
        "guide": {"campaign": shown.slug, "address": reverse("api-guide", args=[shown.slug])},
    }
    return render(request, "voting/classify.html", {"campaign": shown, "props": props})


@require_safe
def item(request: HttpRequest, pk: int) -> HttpResponse:
    """Lead a link that somebody has passed on to the place where the item can be answered."""
    shown = get_object_or_404(items_public(), pk=pk)
    address = reverse("classify", args=[shown.campaign.slug])
    return redirect(f"{address}?item={shown.pk}")


@require_safe
def guide(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what each answer means and looks like, without a script."""
    shown = get_object_or_404(campaigns_public(), slug=slug)
    question = question_newest(shown)
    context = {
        "campaign": shown,
        "card": campaign_card(shown, n_pictures=0),
        "question": question.tree["questions"][question.tree["root"]],
        "entries": guide_of(shown).entries,
    }
    return render(request, "voting/guide.html", context)


@require_safe
def my_votes(request: HttpRequest) -> HttpResponse:
    volunteer = volunteer_of_request(request)
    votes = votes_of(volunteer) if volunteer else Vote.objects.none()
    page = Paginator(votes.prefetch_related("item__members"), VOTES_PER_PAGE).get_page(
        request.GET.get("page")
    )
    rows = [
        OwnAnswer(
            vote, _picture_of(vote), _words_of(vote, vote.answer), _words_of(vote, vote.item.label)
        )
        for vote in page
    ]
    return render(request, "voting/my_votes.html", {"page_obj": page, "rows": rows})


def _picture_of(vote: Vote) -> str:
    if vote.item.prototype is not None:
        return prototype_picture_url(vote.item.prototype, size=PICTURE_SIZE)
    assert vote.item.subject is not None  # the database's constraint item_shows_one_thing
    return subject_picture_url(vote.item.subject, size=PICTURE_SIZE)


def _words_of(vote: Vote, key: str) -> NumberedAnswer | None:
    """Find the words for a leaf in the version of the question that was answered."""
    answers = numbered_answers(vote.question.tree)
    return next((one for one in answers if one.answer["key"] == key), None)
