"""The pages of catalogs: the list, one release, its files, and freezing the next one."""

from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.formats import number_format
from django.utils.http import quote_etag
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from protozoo.accounts.models import User
from protozoo.catalog import selectors
from protozoo.catalog.forms import FreezeForm, RowsForm
from protozoo.catalog.models import Entry, Release
from protozoo.catalog.quality import class_rows, kind_rows, way_rows
from protozoo.catalog.services import release_freeze_later
from protozoo.consensus.cost_curve import calibration_chart, cost_curve_chart
from protozoo.consensus.labels import UNKNOWN, Label, Labels, LabelShare
from protozoo.exceptions import ProtoZooError
from protozoo.subjects.pictures import subject_picture_url
from protozoo.voting.models import Campaign

ROWS_SHOWN: Final = 25
CONTENT_TYPES: Final = {
    "fits": "application/fits",
    "vot": "application/x-votable+xml",
    "csv": "text/csv; charset=utf-8; header=present",
    "md": "text/markdown; charset=utf-8",
    "json": "application/json",
    "txt": "text/plain; charset=utf-8",
}


@dataclass(frozen=True)
class Row:
    """A row of a catalog as the page shows it."""

    entry: Entry
    label: Label
    picture: str


@require_safe
def release_list(request: HttpRequest) -> HttpResponse:
    context: dict[str, Any] = {"releases": selectors.releases().defer("provenance")}
    if request.user.has_perm("accounts.review"):
        context["candidates"] = selectors.candidates()
        context["form"] = FreezeForm()
    return render(request, "catalog/releases.html", context)


@require_safe
def release(request: HttpRequest, pk: int) -> HttpResponse:
    shown = get_object_or_404(selectors.releases(), pk=pk)
    labels = Labels(shown.run.question)
    form = RowsForm(request.GET or None, labels=labels)
    n_found, entries = _rows(shown, form)
    scs = request.build_absolute_uri(reverse("api-release-scs", args=[pk]))
    context = {
        **_quality(shown, labels),
        "release": shown,
        "about": shown.provenance,
        "figures": shown.figures,
        "audit_note": _audit_note(shown.figures.get("audit", {})),
        "shares": _shares(shown, labels),
        "n_reviewed": shown.figures.get("source_counts", {}).get(Entry.Source.REVIEW, 0),
        "form": form,
        "is_search": form.is_bound,
        "n_found": n_found,
        "rows": [
            Row(entry, _label_of(entry, labels), subject_picture_url(entry.subject, size=64))
            for entry in entries
        ],
        "fits_url": request.build_absolute_uri(reverse("release-file", args=[pk, "catalog.fits"])),
        "scs_url": scs,
    }
    return render(request, "catalog/release.html", context, status=400 if form.errors else 200)


def _rows(shown: Release, form: RowsForm) -> tuple[int, list[Entry]]:
    """Give how many rows were asked for, and the first of them."""
    if form.is_bound and not form.is_valid():
        return 0, []
    asked: dict[str, Any] = form.cleaned_data if form.is_bound else {"cone": None, "label": ""}
    if not asked["cone"] and not asked["label"]:
        return shown.n_rows, selectors.first_entries(shown, ROWS_SHOWN)
    return selectors.entries_matching(
        shown, cone=asked["cone"], label=asked["label"], n_most=ROWS_SHOWN
    )


def _quality(shown: Release, labels: Labels) -> dict[str, Any]:
    """Give what the page tells of quality and cost; releases of old know nothing of either."""
    figures = shown.figures
    quality = figures.get("quality")
    return {
        "quality": quality,
        "accuracy_note": _range_note(quality["accuracy"]) if quality else "",
        "error_note": _error_note(quality["calibration_error"]) if quality else "",
        "sure_note": _range_note(quality["accuracy_covered"]) if quality else "",
        "calibration_chart": calibration_chart(quality),
        "cost_chart": cost_curve_chart(figures.get("cost_curve", [])),
        "class_rows": class_rows(figures, labels),
        "kind_rows": kind_rows(figures),
        "way_rows": way_rows(figures),
    }


def _range_note(estimate: dict[str, Any]) -> str:
    return _range(f"{estimate['low']:.1%}", f"{estimate['high']:.1%}")


def _error_note(error: dict[str, Any]) -> str:
    return _range(f"{error['low']:.3f}", f"{error['high']:.3f}")


def _range(low: str, high: str) -> str:
    return _("%(low)s to %(high)s") % {"low": number_format(low), "high": number_format(high)}


def _audit_note(audit: dict[str, Any]) -> str:
    if not audit.get("n_subjects"):
        return ""
    span = _range(f"{audit['interval_low']:.0%}", f"{audit['interval_high']:.0%}")
    n = audit["n_subjects"]
    return ngettext("%(range)s, %(n)d subject", "%(range)s, %(n)d subjects", n) % {
        "range": span,
        "n": n,
    }


def _label_of(entry: Entry, labels: Labels) -> Label:
    return UNKNOWN if entry.is_unknown else labels.of(entry.label)


def _shares(shown: Release, labels: Labels) -> list[LabelShare]:
    """Give the share of each class among the rows, then of the unknown ones."""
    figures, n_rows = shown.figures, max(shown.n_rows, 1)
    counts = {labels.of(key): n for key, n in figures.get("class_counts", {}).items()}
    if n_unknown := figures.get("n_unknown", 0):
        counts[UNKNOWN] = n_unknown
    return [LabelShare(label, n / n_rows, n) for label, n in counts.items()]


@require_safe
def release_file(request: HttpRequest, pk: int, name: str) -> HttpResponseBase:
    """Send a file of a release; its checksum tells a reader whether to fetch it again."""
    found = selectors.release_file(get_object_or_404(selectors.releases(), pk=pk), name)
    if found is None:
        raise Http404(f"Release {pk} has no file {name}.")
    path, sha256 = found
    etag = quote_etag(sha256)
    answer: HttpResponseBase | None = get_conditional_response(request, etag=etag)
    if answer is None:
        content_type = CONTENT_TYPES[path.suffix.removeprefix(".")]
        is_catalog = path.stem == "catalog"
        answer = FileResponse(
            path.open("rb"), as_attachment=is_catalog, filename=name, content_type=content_type
        )
    answer["ETag"] = etag
    answer["Cache-Control"] = "public, max-age=31536000, immutable"
    return answer


@require_POST
@login_required
@permission_required("accounts.review", raise_exception=True)
def release_freeze(request: HttpRequest, slug: str) -> HttpResponse:
    campaign = get_object_or_404(Campaign, slug=slug)
    form = FreezeForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("The notes are too long: 2000 characters at most."))
        return redirect("releases")
    assert isinstance(request.user, User)
    try:
        release_freeze_later(
            campaign=campaign, created_by=request.user, notes=form.cleaned_data["notes"]
        )
    except ProtoZooError as error:
        messages.error(request, str(error))
    else:
        said = _("A release of %(campaign)s is being frozen; it appears here when it is done.")
        messages.success(request, said % {"campaign": campaign})
    return redirect("releases")
