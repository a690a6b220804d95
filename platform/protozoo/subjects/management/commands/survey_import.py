"""`manage.py survey_import`: brings survey files in."""

from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from protozoo.exceptions import ProtoZooError
from protozoo.jobs.progress import ProgressLine
from protozoo.jobs.services import job_create
from protozoo.subjects.services import SurveyAbout, SurveyFiles, survey_import
from protozoo.surveys.models import ImportRun

SHOWN_PROBLEMS = 20


class Command(BaseCommand):
    help = (
        "Import a survey: cutouts with a table (--images, --table), sources cut from mosaics"
        " (--mosaics, --table), or sources found in mosaics (--mosaics alone). Importing again"
        " adds only what is new; bad rows are reported and the rest goes on. A subject manifest"
        " of Zooniverse with positions is a table, too: '#', '//' and '!' before the names of its"
        " columns are left out, and the first column of file names tells the images."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="short name: small letters, digits and '-'")
        files = parser.add_argument_group("files")
        files.add_argument(
            "--images", default="", help="folder of FITS, PNG or JPEG; .npy cube; HDF5 file"
        )
        files.add_argument(
            "--mosaics", default="", help="pattern of FITS mosaics with a WCS, in quotes"
        )
        files.add_argument(
            "--table", default="", help="CSV, ECSV, FITS or VOTable with id, ra, dec"
        )
        files.add_argument("--id-column", default="", help="column of the ids, if not guessed")
        files.add_argument(
            "--n-sigma", type=float, default=5.0, help="detection threshold (default 5)"
        )
        about = parser.add_argument_group("about the survey")
        about.add_argument("--title", default="")
        about.add_argument("--description", default="")
        about.add_argument("--licence", default="")
        about.add_argument("--citation", default="")
        about.add_argument("--credit", default="")
        about.add_argument("--recipe", default="", help="how pixels are prepared (default sqrt-1)")
        about.add_argument(
            "--size", type=int, default=0, help="side of a cutout in pixels (default 64)"
        )
        about.add_argument(
            "--pixel-scale", type=float, default=0.0, help="arcsec per pixel, if not in the files"
        )
        about.add_argument(
            "--audit", type=float, default=None, help="share of the audit sample (default 0.02)"
        )
        parser.add_argument("--queue", action="store_true", help="leave the work to a worker")

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=0)  # a new site begins with this command
        files = SurveyFiles(
            images=options["images"],
            mosaics=options["mosaics"],
            table=options["table"],
            id_column=options["id_column"],
            n_sigma=options["n_sigma"],
        )
        about = SurveyAbout(
            title=options["title"],
            description=options["description"],
            licence=options["licence"],
            citation=options["citation"],
            credit=options["credit"],
            recipe=options["recipe"],
            image_size=options["size"],
            pixel_scale_arcsec=options["pixel_scale"],
            audit_fraction=options["audit"],
        )
        if options["queue"]:
            job = job_create(
                task="protozoo.subjects.tasks.import_survey",
                arguments={"slug": options["name"], "files": asdict(files), "about": asdict(about)},
                title=f"Import {options['name']}",
            )
            self.stdout.write(f"Job {job.pk} waits for a worker.")
            return
        try:
            with ProgressLine(f"Importing {options['name']}") as progress:
                run = survey_import(slug=options["name"], files=files, about=about, report=progress)
        except ProtoZooError as error:
            raise CommandError(str(error)) from error
        self._tell(run)

    def _tell(self, run: ImportRun) -> None:
        self.stdout.write(
            f"{run.n_rows} rows read: {run.n_imported} imported, {run.n_unchanged} unchanged,"
            f" {run.n_rejected} rejected."
        )
        for problem in run.problems.all()[:SHOWN_PROBLEMS]:
            where = f"row {problem.row_number}" if problem.row_number else problem.file
            self.stdout.write(f"  {where} {problem.identifier}: {problem.reason}")
        hidden = run.n_rejected - SHOWN_PROBLEMS
        if hidden > 0:
            self.stdout.write(f"  and {hidden} more, listed in the admin pages under Imports.")
        if run.n_rows and run.n_rejected == run.n_rows:
            raise CommandError("Not one row could be imported; the reasons stand above.")
