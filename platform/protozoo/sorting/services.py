"""Plans sortings; the work itself is in `training.py`, which only workers and commands import."""

from typing import Any

from protozoo.sorting.exceptions import SortingError
from protozoo.sorting.models import Sorting
from protozoo.surveys.models import Survey
from skysort.errors import InputError
from skysort.images.recipes import get_recipe


def sorting_create(
    *,
    survey: Survey,
    rows: int = 10,
    columns: int = 10,
    topology: str = "rectangular",
    is_periodic: bool = False,
    n_rotations: int = 72,
    n_epochs: int = 10,
    seed: int = 1,
    recipe: str = "",
) -> Sorting:
    """Write down how a survey is to be sorted."""
    n_subjects = survey.subjects.count()
    recipe = recipe or survey.recipe
    try:
        get_recipe(recipe)
    except InputError as error:
        raise SortingError(str(error)) from error
    if n_rotations < 4 or n_rotations % 4:
        raise SortingError(f"n_rotations must be a positive multiple of 4, got {n_rotations}.")
    if rows < 2 or columns < 2:
        raise SortingError(f"A map has at least 2 x 2 prototypes, got {rows} x {columns}.")
    if rows * columns > n_subjects:
        raise SortingError(
            f"A map of {rows} x {columns} prototypes needs at least as many subjects, and survey"
            f" {survey.slug} has {n_subjects}; choose a smaller map or import more."
        )
    if n_epochs < 1:
        raise SortingError(f"A map needs at least one epoch, got {n_epochs}.")
    return Sorting.objects.create(
        survey=survey,
        rows=rows,
        columns=columns,
        topology=topology,
        is_periodic=is_periodic,
        n_rotations=n_rotations,
        n_epochs=n_epochs,
        seed=seed,
        recipe=recipe,
        n_subjects=n_subjects,
    )


def sorting_find(*, survey: Survey, **plan: Any) -> Sorting | None:
    """Find the newest sorting of a survey that was planned exactly so."""
    return Sorting.objects.filter(survey=survey, **plan).first()
