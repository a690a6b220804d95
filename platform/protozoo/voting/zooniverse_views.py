"""Downloads of a campaign's answers in Zooniverse's tables, for scientists."""

from collections.abc import Iterator

from django.contrib.auth.decorators import login_required, permission_required
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from protozoo.voting.models import Campaign
from protozoo.voting.zooniverse.exports import TABLES, export_text


@require_safe
@login_required
@permission_required("accounts.review", raise_exception=True)
def zooniverse_table(request: HttpRequest, slug: str, name: str) -> StreamingHttpResponse:
    """Send a table while it is made, so that it needs no more memory than a few rows."""
    campaign = get_object_or_404(Campaign.objects.select_related("sorting__survey"), slug=slug)
    if name not in TABLES:
        raise Http404(f"An export has no table {name}.")
    site = request.build_absolute_uri("/").rstrip("/")
    answer = StreamingHttpResponse(
        _encoded(export_text(campaign, name, site=site)), content_type="text/csv; charset=utf-8"
    )
    answer["Content-Disposition"] = f'attachment; filename="{campaign.slug}-{name}.csv"'
    answer["Cache-Control"] = "private, no-store"
    return answer


def _encoded(lines: Iterator[str]) -> Iterator[bytes]:
    for line in lines:
        yield line.encode()
