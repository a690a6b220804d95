"""What volunteers do about themselves: download, be thanked, leave; and the public thanks."""

from collections.abc import Callable, Iterator
from typing import Final

from django.contrib import messages
from django.contrib.auth import logout
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from protozoo.accounts.cookies import volunteer_cookie_delete
from protozoo.accounts.exceptions import LastSuperuserError
from protozoo.accounts.forms import CreditForm, LeaveForm
from protozoo.accounts.models import User, Volunteer
from protozoo.accounts.selectors import volunteer_of_request
from protozoo.accounts.services import volunteer_of_user
from protozoo.voting.downloads import votes_as_csv, votes_as_json
from protozoo.voting.leaving import account_leave, volunteer_leave
from protozoo.voting.models import Campaign, Favourite
from protozoo.voting.selectors import campaigns_public
from protozoo.voting.standing import favourites_of, item_picture_url
from protozoo.voting.thanks import thanked, volunteers_named
from protozoo.voting.votes import favourite_remove

NAMES_PER_PAGE: Final = 200
FAVOURITES_PER_PAGE: Final = 48


# Downloads ----------------------------------------------------------------------------------
@require_safe
@never_cache
def download_csv(request: HttpRequest) -> StreamingHttpResponse:
    return _download(request, votes_as_csv, "text/csv; charset=utf-8", "my-answers.csv")


@require_safe
@never_cache
def download_json(request: HttpRequest) -> StreamingHttpResponse:
    return _download(request, votes_as_json, "application/json", "my-answers.json")


def _download(
    request: HttpRequest, write: Callable[[Volunteer], Iterator[str]], kind: str, name: str
) -> StreamingHttpResponse:
    volunteer = volunteer_of_request(request)
    if volunteer is None:
        raise Http404("There are no answers of this browser yet.")
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(write(volunteer), content_type=kind, headers=headers)


# Favourites ---------------------------------------------------------------------------------
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def favourites(request: HttpRequest) -> HttpResponse:
    """List what a volunteer wants to find again, and take off what they send back."""
    volunteer = volunteer_of_request(request)
    found = favourites_of(volunteer) if volunteer else Favourite.objects.none()
    if request.method == "POST" and volunteer:
        kept = _favourite_sent(found, request.POST.get("favourite", ""))
        favourite_remove(item=kept.item, volunteer=volunteer)
        messages.success(request, _("Taken off your favourites."))
        return redirect("my-favourites")
    page = Paginator(found, FAVOURITES_PER_PAGE).get_page(request.GET.get("page"))
    pictures = [(favourite, item_picture_url(favourite.item)) for favourite in page]
    context = {"page_obj": page, "favourites": pictures}
    return render(request, "voting/favourites.html", context)


def _favourite_sent(found: QuerySet[Favourite], key: str) -> Favourite:
    try:
        return get_object_or_404(found, pk=key)
    except ValueError as error:
        raise Http404("Nothing has such a key.") from error


# Thanks -------------------------------------------------------------------------------------
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def thanks(request: HttpRequest) -> HttpResponse:
    """Let a volunteer choose how they are thanked."""
    volunteer = _volunteer(request)
    if volunteer is None:
        return redirect("my-votes")
    form = CreditForm(request.POST or None, volunteer=volunteer)
    if request.method == "POST" and form.save():
        messages.success(request, _("Written down. Thank you!"))
        return redirect("my-votes")
    status = 400 if form.errors else 200
    return render(request, "voting/thanks.html", {"form": form}, status=status)


def _volunteer(request: HttpRequest) -> Volunteer | None:
    if isinstance(request.user, User):
        return volunteer_of_user(user=request.user)
    return volunteer_of_request(request)


@require_safe
def credits_of_all(request: HttpRequest) -> HttpResponse:
    return _credits(request, None)


@require_safe
def credits_of_campaign(request: HttpRequest, slug: str) -> HttpResponse:
    return _credits(request, get_object_or_404(campaigns_public(), slug=slug))


def _credits(request: HttpRequest, campaign: Campaign | None) -> HttpResponse:
    """List those who chose to be named."""
    page = Paginator(volunteers_named(campaign), NAMES_PER_PAGE).get_page(request.GET.get("page"))
    context = {"campaign": campaign, "page_obj": page, "names": thanked(page, campaign)}
    return render(request, "voting/credits.html", context)


# Leaving ------------------------------------------------------------------------------------
@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: HttpRequest) -> HttpResponse:
    """Say what goes and what stays, and do it when asked."""
    if isinstance(request.user, User):
        return _account_leave(request, request.user)
    volunteer = volunteer_of_request(request)
    if volunteer is None:
        return redirect("my-votes")
    if request.method != "POST":
        return render(request, "voting/leave.html", {"form": None})
    volunteer_leave(volunteer=volunteer)
    return _farewell(request, _("This browser is forgotten. Thank you for all your answers!"))


def _account_leave(request: HttpRequest, user: User) -> HttpResponse:
    form = LeaveForm(request.POST if request.method == "POST" else None, user=user)
    if form.is_valid():
        try:
            account_leave(user=user)
        except LastSuperuserError as error:
            form.add_error(None, str(error))
        else:
            logout(request)
            return _farewell(request, _("Your account is deleted. Thank you for all your answers!"))
    status = 400 if form.errors else 200
    return render(request, "voting/leave.html", {"form": form}, status=status)


def _farewell(request: HttpRequest, words: str) -> HttpResponse:
    messages.success(request, words)
    response = redirect("home")
    volunteer_cookie_delete(response)
    return response
