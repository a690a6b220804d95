"""What workers do for subjects."""

from typing import Any

from protozoo.jobs.services import Report
from protozoo.subjects.services import SurveyAbout, SurveyFiles, survey_import


def import_survey(
    report: Report, *, slug: str, files: dict[str, Any], about: dict[str, Any]
) -> dict[str, int]:
    """Import a survey in the background."""
    run = survey_import(
        slug=slug, files=SurveyFiles(**files), about=SurveyAbout(**about), report=report
    )
    return {
        "import_run": run.pk,
        "imported": run.n_imported,
        "unchanged": run.n_unchanged,
        "rejected": run.n_rejected,
    }
