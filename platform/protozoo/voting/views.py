"""The pages for volunteers: home, a campaign, its field guide, and classify."""

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from protozoo.accounts.selectors import volunteer_of_request
from protozoo.voting.guide import guide_of
from protozoo.voting.selectors import campaigns_public, items_public, question_newest
from protozoo.voting.showcase import (
    campaign_card,
    campaign_cards,
    campaign_coverage,
    n_covered,
    numbered_answers,
)
from protozoo.voting.standing import own_standing
from protozoo.voting.trees import tree_said

PICTURES_OF_CAMPAIGN: Final = 12


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    cards = campaign_cards(campaigns_public())
    context = {
        "cards": cards,
        "n_covered": n_covered(cards[0].campaign) if cards else 0,
        "own": own_standing(volunteer_of_request(request)),
    }
    return render(request, "voting/home.html", context)


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
        "question": {"version": question.version, "tree": tree_said(question.tree)},
        "suggested_tags": shown.suggested_tags,
        "addresses": {
            "next": reverse("api-next", args=[shown.slug]),
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
        "question": tree_said(question.tree)["questions"][question.tree["root"]],
        "entries": guide_of(shown).entries,
    }
    return render(request, "voting/guide.html", context)
