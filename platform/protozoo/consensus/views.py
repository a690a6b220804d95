"""The scientist's pages: a map, a prototype, the outliers, a subject; and a volunteer's answers."""

import math
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from protozoo.accounts.models import User
from protozoo.accounts.selectors import volunteer_of_request
from protozoo.consensus.charts import heat_stops, histogram_chart, line_chart
from protozoo.consensus.forms import ReviewForm
from protozoo.consensus.labels import UNKNOWN, Labels, LabelShare
from protozoo.consensus.mark_drawing import mark_drawing
from protozoo.consensus.own_answers import own_answers
from protozoo.consensus.reasons import reasons
from protozoo.consensus.selectors import (
    Opinion,
    Standing,
    label_of,
    opinion_of,
    outlier_threshold,
    prototype_posterior,
    prototype_posteriors,
    splits_of,
    standing_of,
    undecided_of,
    votes_on_prototype,
)
from protozoo.consensus.services import review_record
from protozoo.consensus.sheet import OVERLAYS, sheet_of
from protozoo.consensus.splits import prototype_split_later, split_dismiss
from protozoo.consensus.viewers import viewer_of_prototype, viewer_of_subject
from protozoo.exceptions import ProtoZooError
from protozoo.sorting.models import Assignment, Prototype, Sorting
from protozoo.sorting.pictures import member_picture_url, prototype_picture_url
from protozoo.sorting.selectors import (
    adjacent_prototypes,
    members_of,
    outlier_histogram,
    outliers_of,
    prototypes,
    prototypes_of,
    sortings,
)
from protozoo.subjects.pictures import STRETCHES, subject_picture_url
from protozoo.subjects.selectors import external_views, sexagesimal, subjects
from protozoo.voting.marked import marked_prototype, marked_subject
from protozoo.voting.selectors import (
    campaigns_public,
    question_newest,
    votes_of,
    votes_strange,
)
from protozoo.voting.standing import item_picture_url, own_standing

MEMBERS_PER_PAGE: Final = 40
OUTLIERS_PER_PAGE: Final = 48
UNDECIDED_PER_PAGE: Final = 50
STRANGE_PER_PAGE: Final = 50
VOTES_PER_PAGE: Final = 50
N_FARTHEST: Final = 6


@require_safe
def sorting_map(request: HttpRequest, pk: int) -> HttpResponse:
    sorting = get_object_or_404(sortings(), pk=pk)
    opinion = opinion_of(sorting)
    run = opinion.run if opinion else None
    posteriors = prototype_posteriors(run) if run else {}
    labels = opinion.labels if opinion else None
    overlays = {key: name for key, name in OVERLAYS.items() if run or key not in _NEED_RUN}
    shown = request.GET.get("show", "")
    context = {
        "sorting": sorting,
        "opinion": opinion,
        "labels": labels,
        "sheet": sheet_of(sorting, prototypes_of(sorting), posteriors, labels),
        "overlays": overlays,
        "shown": shown if shown in overlays else next(iter(overlays)),
        "heat_stops": heat_stops(),
        "training": line_chart(_training(sorting)),
        "history": _training(sorting),
    }
    return render(request, "sorting/map.html", context)


_NEED_RUN: Final = {"class", "entropy"}


def _training(sorting: Sorting) -> list[tuple[float, float]]:
    """Give (epoch, quantization error) as far as training has come."""
    return [
        (float(step["epoch"]), float(step["quantization_error"]))
        for step in sorting.history
        if step.get("quantization_error") is not None
    ]


@require_safe
def prototype(request: HttpRequest, pk: int) -> HttpResponse:
    shown = get_object_or_404(prototypes(), pk=pk)
    opinion = opinion_of(shown.sorting)
    posterior = (
        prototype_posterior(opinion.run, shown) if opinion is not None and opinion.run else None
    )
    farthest_first = request.GET.get("order") == "farthest"
    page = _page(request, members_of(shown, farthest_first=farthest_first), MEMBERS_PER_PAGE)
    context = {
        "prototype": shown,
        "sorting": shown.sorting,
        "picture_url": prototype_picture_url(shown, size=512),
        "viewer": viewer_of_prototype(shown),
        "drawing": mark_drawing(marked_prototype(shown)),
        "opinion": opinion,
        "posterior": posterior,
        "label": opinion.labels.of(posterior.label) if opinion and posterior else None,
        "shares": _prototype_shares(opinion, posterior.probabilities)
        if opinion and posterior
        else [],
        "votes": opinion.labels.counts(votes_on_prototype(opinion.campaign, shown))
        if opinion
        else [],
        "neighbours": [
            (other, prototype_picture_url(other, size=128)) for other in adjacent_prototypes(shown)
        ],
        "farthest_first": farthest_first,
        "page_obj": page,
        "members": [(member, member_picture_url(member, size=128)) for member in page],
        "farthest": _farthest(shown, page),
    }
    return render(request, "sorting/prototype.html", context)


def _prototype_shares(opinion: Opinion, probabilities: dict[str, float]) -> list[LabelShare]:
    return opinion.labels.shares(list(probabilities), list(probabilities.values()))


def _farthest(shown: Prototype, page: Page[Assignment]) -> list[tuple[Assignment, str]]:
    """Give the least alike members, unless one page shows all of them."""
    if not page.has_other_pages():
        return []
    members = members_of(shown, farthest_first=True)[:N_FARTHEST]
    return [(member, member_picture_url(member, size=128)) for member in members]


@require_safe
def sorting_outliers(request: HttpRequest, pk: int) -> HttpResponse:
    sorting = get_object_or_404(sortings(), pk=pk)
    opinion = opinion_of(sorting)
    threshold = outlier_threshold(opinion.campaign) if opinion else None
    histogram = outlier_histogram(sorting)
    page = _page(request, outliers_of(sorting), OUTLIERS_PER_PAGE)
    context = {
        "sorting": sorting,
        "opinion": opinion,
        "threshold": threshold,
        "chart": histogram_chart(histogram, threshold=threshold) if histogram else None,
        "page_obj": page,
        "outliers": [
            (
                outlier,
                subject_picture_url(outlier.subject, size=128),
                threshold is not None
                and outlier.outlier_score >= threshold
                and outlier.outlier_leader is None,
            )
            for outlier in page
        ],
    }
    return render(request, "sorting/outliers.html", context)


@require_safe
def subject(request: HttpRequest, pk: int) -> HttpResponse:
    standing = standing_of(get_object_or_404(subjects(), pk=pk))
    return _subject_page(request, standing, _review_form(request, standing))


def _subject_page(
    request: HttpRequest, standing: Standing, form: ReviewForm | None, *, status: int = 200
) -> HttpResponse:
    shown, assignment, opinion = standing.subject, standing.assignment, standing.opinion
    labels = opinion.labels if opinion else None
    stretch = request.GET.get("stretch", "")
    stretch = stretch if stretch in STRETCHES else STRETCHES[0]
    context = {
        "subject": shown,
        "stretch": stretch,
        "stretches": STRETCHES,
        "picture_url": subject_picture_url(shown, size=512, stretch=stretch),
        "viewer": viewer_of_subject(shown),
        "drawing": mark_drawing(marked_subject(shown)),
        "sexagesimal": sexagesimal(shown),
        "external_views": external_views(shown),
        "standing": standing,
        "label": _label_that_counts(standing, labels),
        "shares": _subject_shares(standing, labels),
        "reasons": reasons(standing),
        "reviews": [(review, labels.of(review.label)) for review in standing.reviews]
        if labels
        else [],
        "place": assignment and _place(assignment),
        "review_form": form,
        "may_read": request.user.has_perm("accounts.review"),
    }
    return render(request, "subjects/subject.html", context, status=status)


def _label_that_counts(standing: Standing, labels: Labels | None) -> LabelShare | None:
    """Give the newest review's label, else the newest run's."""
    if labels is None:
        return None
    if standing.reviews:
        return LabelShare(labels.of(standing.reviews[0].label), 1.0)
    posterior = standing.posterior
    if posterior is None:
        return None
    label = UNKNOWN if posterior.is_unknown else labels.of(posterior.label)
    return LabelShare(label, posterior.probability)


def _subject_shares(standing: Standing, labels: Labels | None) -> list[LabelShare]:
    if labels is None or standing.posterior is None:
        return []
    return labels.shares(standing.posterior.run.classes, standing.posterior.probabilities)


def _place(assignment: Assignment) -> dict[str, Any]:
    home = assignment.prototype
    home.sorting = assignment.sorting
    return {
        "prototype": home,
        "prototype_picture": prototype_picture_url(home, size=256),
        "member_picture": member_picture_url(assignment, size=256),
        "prototype_caption": ngettext(
            "%(prototype)s: %(n)d member", "%(prototype)s: %(n)d members", home.n_members
        )
        % {"prototype": str(home).capitalize(), "n": home.n_members},
        "member_caption": _turned(assignment),
    }


def _turned(assignment: Assignment) -> str:
    """Say how a subject is turned into its prototype's frame."""
    said = (
        _("This subject, mirrored and turned by %(angle)s°")
        if assignment.is_flipped
        else _("This subject, turned by %(angle)s°")
    )
    return said % {"angle": f"{math.degrees(assignment.angle_rad):.0f}"}


def _review_form(request: HttpRequest, standing: Standing) -> ReviewForm | None:
    """Give the form to those who may decide, where there is something to decide."""
    if standing.opinion is None or not request.user.has_perm("accounts.review"):
        return None
    current = _label_that_counts(standing, standing.opinion.labels)
    initial = {"label": current.label.key} if current and current.label.is_class else {}
    data = request.POST if request.method == "POST" else None
    return ReviewForm(data, initial=initial, labels=standing.opinion.labels)


@require_POST
@login_required
@permission_required("accounts.review", raise_exception=True)
def subject_review(request: HttpRequest, pk: int) -> HttpResponse:
    standing = standing_of(get_object_or_404(subjects(), pk=pk))
    form = _review_form(request, standing)
    if form is None or standing.opinion is None:
        raise Http404("No campaign asks about this subject yet.")
    if not form.is_valid():
        return _subject_page(request, standing, form, status=400)
    assert isinstance(request.user, User)
    try:
        review_record(
            campaign=standing.opinion.campaign,
            subject=standing.subject,
            reviewer=request.user,
            label=form.cleaned_data["label"],
            note=form.cleaned_data["note"],
        )
    except ProtoZooError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Your decision is written down."))
    return redirect("subject", pk=pk)


@require_safe
def campaign_splits(request: HttpRequest, slug: str) -> HttpResponse:
    """List the prototypes that seem to hold several kinds of source."""
    campaign = get_object_or_404(campaigns_public(), slug=slug)
    proposals = splits_of(campaign)
    context = {
        "campaign": campaign,
        "splits": [
            (split, prototype_picture_url(split.prototype, size=128)) for split in proposals
        ],
        "may_decide": request.user.has_perm("accounts.review"),
    }
    return render(request, "consensus/splits.html", context)


@require_POST
@login_required
@permission_required("accounts.review", raise_exception=True)
def campaign_split(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    campaign = get_object_or_404(campaigns_public(), slug=slug)
    shown = get_object_or_404(prototypes(), pk=pk, sorting=campaign.sorting_id)
    assert isinstance(request.user, User)  # the decorators above
    try:
        if "dismiss" in request.POST:
            split_dismiss(campaign=campaign, prototype=shown)
            said = _("%(prototype)s stays as it is.")
            messages.success(request, said % {"prototype": str(shown).capitalize()})
        else:
            prototype_split_later(campaign=campaign, prototype=shown, created_by=request.user)
            said = _("The members of %(prototype)s will be sorted by themselves.")
            messages.success(request, said % {"prototype": shown})
    except ProtoZooError as error:
        messages.error(request, str(error))
    return redirect("campaign-splits", slug=slug)


@require_safe
def campaign_undecided(request: HttpRequest, slug: str) -> HttpResponse:
    """List what people do not agree on, for a scientist to decide."""
    campaign = get_object_or_404(campaigns_public(), slug=slug)
    page = Paginator(undecided_of(campaign), UNDECIDED_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "campaign": campaign,
        "page_obj": page,
        "rows": [(undecided, item_picture_url(undecided.item)) for undecided in page],
        "may_decide": request.user.has_perm("accounts.review"),
    }
    return render(request, "consensus/undecided.html", context)


@require_safe
@never_cache
def my_votes(request: HttpRequest) -> HttpResponse:
    """Show a volunteer's answers, and what others have said since."""
    volunteer = volunteer_of_request(request)
    # Keys first: the last page of 100,000 answers would else join all those before it.
    keys = votes_of(volunteer).order_by("-pk").values_list("pk", flat=True)
    page = Paginator(keys, VOTES_PER_PAGE).get_page(request.GET.get("page"))
    votes = votes_of(volunteer).filter(pk__in=list(page)).prefetch_related("item__members")
    context = {
        "volunteer": volunteer,
        "own": own_standing(volunteer),
        "page_obj": page,
        "rows": own_answers(list(votes), volunteer) if volunteer else [],
        "n_favourites": volunteer.favourites.count() if volunteer else 0,
    }
    return render(request, "consensus/my_votes.html", context)


@require_safe
def campaign_strange(request: HttpRequest, slug: str) -> HttpResponse:
    """List what volunteers want somebody to have a look at."""
    campaign = get_object_or_404(campaigns_public(), slug=slug)
    page = Paginator(votes_strange(campaign), STRANGE_PER_PAGE).get_page(request.GET.get("page"))
    labels = Labels(question_newest(campaign))
    context = {
        "campaign": campaign,
        "page_obj": page,
        "rows": [(vote, label_of(vote, labels), item_picture_url(vote.item)) for vote in page],
        "may_read": request.user.has_perm("accounts.review"),
    }
    return render(request, "consensus/strange.html", context)


def _page(request: HttpRequest, rows: QuerySet[Assignment], size: int) -> Page[Assignment]:
    return Paginator(rows, size).get_page(request.GET.get("page"))
