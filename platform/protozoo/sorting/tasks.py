"""What workers do for sortings."""

from protozoo.jobs.services import Report
from protozoo.sorting.training import sorting_run


def sort(report: Report, *, sorting_id: int) -> dict[str, float | None]:
    """Train the map and project every subject on it, from wherever an earlier try has come."""
    sorting = sorting_run(sorting_id=sorting_id, report=report)
    return {
        "quantization_error": sorting.quantization_error,
        "topographic_error": sorting.topographic_error,
    }
