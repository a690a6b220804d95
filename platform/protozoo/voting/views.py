"""The pages for volunteers: home, a campaign, classify, and my answers."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from protozoo.voting.models import Campaign


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "voting/home.html", {"campaigns": Campaign.objects.all()})


@require_safe
def campaign(request: HttpRequest, slug: str) -> HttpResponse:
    shown = get_object_or_404(Campaign, slug=slug)
    return render(request, "voting/campaign.html", {"campaign": shown})


@require_safe
@ensure_csrf_cookie
def classify(request: HttpRequest, slug: str) -> HttpResponse:
    shown = get_object_or_404(Campaign, slug=slug)
    return render(request, "voting/classify.html", {"campaign": shown})


@require_safe
def my_votes(request: HttpRequest) -> HttpResponse:
    return render(request, "voting/my_votes.html", {})
