"""Plans sortings; the work itself is in `training.py`, which only workers and commands import."""

import math
from typing import Any, Final

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from protozoo.jobs.models import Job
from protozoo.sorting.exceptions import SortingBusyError, SortingError
from protozoo.sorting.models import Prototype, Sorting
from protozoo.surveys.models import Survey
from skysort.errors import InputError
from skysort.images.recipes import get_recipe

# What the database's columns hold.
MAX_SMALL: Final = 32_767
MAX_SEED: Final = 2**63 - 1
# A child map has so many members for each of its prototypes, and an edge of so many prototypes.
MEMBERS_OF_A_CHILD: Final = 10
LEAST_CHILD_EDGE: Final = 2
MOST_CHILD_EDGE: Final = 4


def sorting_create(
    *,
    survey: Survey,
    rows: int = 10,
    columns: int = 10,
    topology: str = "rectangular",
    is_periodic: bool = False,
    n_rotations: int = 360,
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
    if max(rows, columns, n_rotations, n_epochs) > MAX_SMALL:
        raise SortingError(
            f"Rows, columns, n_rotations and epochs are at most {MAX_SMALL}, got"
            f" {max(rows, columns, n_rotations, n_epochs)}."
        )
    if not 0 <= seed <= MAX_SEED:
        raise SortingError(f"A seed lies between 0 and {MAX_SEED}, got {seed}.")
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


def child_sorting_create(*, prototype: Prototype) -> Sorting:
    """Write down that the members of a prototype are to be sorted by themselves; once is enough."""
    parent = prototype.sorting
    known = Sorting.objects.filter(parent=prototype).first()
    if known is not None:
        return known
    edge = min(MOST_CHILD_EDGE, math.isqrt(prototype.n_members // MEMBERS_OF_A_CHILD))
    if edge < LEAST_CHILD_EDGE:
        raise SortingError(
            _(
                "Only %(n)d members lie at %(prototype)s; a map of their own needs at least"
                " %(least)d."
            )
            % {
                "n": prototype.n_members,
                "prototype": prototype,
                "least": LEAST_CHILD_EDGE**2 * MEMBERS_OF_A_CHILD,
            }
        )
    return Sorting.objects.create(
        survey=parent.survey,
        parent=prototype,
        rows=edge,
        columns=edge,
        n_rotations=parent.n_rotations,
        n_epochs=parent.n_epochs,
        seed=parent.seed,
        recipe=parent.recipe,
        n_subjects=prototype.n_members,
    )


def sorting_continue(*, survey: Survey, **plan: Any) -> Sorting | None:
    """Find a sorting of exactly this plan and these subjects that was interrupted."""
    plan = {**plan, "recipe": plan.get("recipe") or survey.recipe}
    sorting = (
        _whole(survey, **plan)
        .filter(n_subjects=survey.subjects.count())
        .exclude(state=Sorting.State.READY)
        .first()
    )
    job = _job_of(sorting) if sorting else None
    if job is not None:
        raise SortingBusyError(
            f"Job {job.pk} does this sorting already; follow or cancel it on the jobs page."
        )
    return sorting


def _job_of(sorting: Sorting) -> Job | None:
    """Find the job that waits to do a sorting, or does it and still holds its lease."""
    held = Q(state=Job.State.RUNNING, lease_expires_at__gte=timezone.now())
    tasks = Job.objects.filter(task="protozoo.sorting.tasks.sort", arguments__sorting_id=sorting.pk)
    return tasks.filter(Q(state=Job.State.QUEUED) | held).first()


def sorting_find(*, survey: Survey, **plan: Any) -> Sorting | None:
    """Find the newest sorting of a survey that was planned exactly so."""
    return _whole(survey, **plan).first()


def _whole(survey: Survey, **plan: Any) -> QuerySet[Sorting]:
    """Give the sortings of a whole survey that were planned so."""
    return Sorting.objects.filter(survey=survey, parent=None, **plan)
