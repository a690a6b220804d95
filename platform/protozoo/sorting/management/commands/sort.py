"""`manage.py sort`: sorts a survey on a map."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from protozoo.exceptions import ProtoZooError
from protozoo.jobs.progress import ProgressLine
from protozoo.jobs.services import job_create
from protozoo.sorting.services import sorting_continue, sorting_create
from protozoo.surveys.models import Survey


class Command(BaseCommand):
    help = (
        "Sort a survey: train a rotation- and flip-invariant map and project every subject. An"
        " interrupted sorting of the same plan goes on from its last epoch."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="name of the survey")
        parser.add_argument("--grid", default="10x10", help="prototypes, ROWSxCOLUMNS")
        parser.add_argument("--topology", choices=["rectangular", "hexagonal"], default=None)
        parser.add_argument("--periodic", action="store_true", help="join opposite edges")
        parser.add_argument("--epochs", type=int, default=10)
        parser.add_argument("--rotations", type=int, default=360, help="angles, a multiple of 4")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--recipe", default="", help="default: the survey's own")
        parser.add_argument("--queue", action="store_true", help="leave the work to a worker")

    def handle(self, *args: Any, **options: Any) -> None:
        survey = Survey.objects.filter(slug=options["name"]).first()
        if survey is None:
            raise CommandError(f"There is no survey {options['name']!r}; import it first.")
        rows, columns = _grid(options["grid"])
        plan = {
            "rows": rows,
            "columns": columns,
            "topology": options["topology"] or "rectangular",
            "is_periodic": options["periodic"],
            "n_epochs": options["epochs"],
            "n_rotations": options["rotations"],
            "seed": options["seed"],
            "recipe": options["recipe"],
        }
        try:
            sorting = sorting_continue(survey=survey, **plan)
            if sorting is not None:
                self.stdout.write(f"Going on with sorting {sorting.pk}, which was interrupted.")
            sorting = sorting or sorting_create(survey=survey, **plan)
            if options["queue"]:
                job = job_create(
                    task="protozoo.sorting.tasks.sort",
                    arguments={"sorting_id": sorting.pk},
                    title=f"Sort {survey.title}",
                )
                self.stdout.write(f"Job {job.pk} waits for a worker.")
                return
            from protozoo.sorting.training import sorting_run  # torch takes seconds to load

            with ProgressLine(f"Sorting {survey.slug}") as progress:
                sorting = sorting_run(sorting_id=sorting.pk, report=progress)
        except ProtoZooError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"Sorting {sorting.pk}: {sorting.n_subjects} subjects, quantization error"
            f" {sorting.quantization_error:.4f}, topographic error {sorting.topographic_error:.3f}."
        )


def _grid(text: str) -> tuple[int, int]:
    try:
        rows, columns = (int(part) for part in text.lower().split("x"))
    except ValueError as error:
        raise CommandError(f"--grid is ROWSxCOLUMNS, such as 10x10; got {text!r}.") from error
    return rows, columns
