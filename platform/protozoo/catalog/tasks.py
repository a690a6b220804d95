"""What workers do for releases."""

from protozoo.accounts.models import User
from protozoo.catalog.services import release_freeze
from protozoo.jobs.services import Report
from protozoo.voting.models import Campaign


def freeze(
    report: Report, *, campaign_id: int, created_by_id: int | None = None, notes: str = ""
) -> dict[str, int]:
    """Freeze what the campaign's newest consensus says."""
    freezer = None if created_by_id is None else User.objects.filter(pk=created_by_id).first()
    release = release_freeze(
        campaign=Campaign.objects.get(pk=campaign_id),
        created_by=freezer,
        notes=notes,
        report=report,
    )
    return {"release_id": release.pk, "version": release.version, "n_rows": release.n_rows}
