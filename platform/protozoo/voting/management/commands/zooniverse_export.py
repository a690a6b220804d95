"""`manage.py zooniverse_export`: writes a campaign's answers as Zooniverse would."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from protozoo.jobs.progress import ProgressLine
from protozoo.voting.models import Campaign
from protozoo.voting.zooniverse.exports import zooniverse_export


class Command(BaseCommand):
    help = (
        "Write classifications.csv, subjects.csv and workflows.csv in the columns of Zooniverse's"
        " own exports. Imported rows come out as they came in. Of our own votes those that count"
        " are given: each question is a task, a prototype a subject, a grid the subjects that are"
        " its members with the list of those that do not belong; tags, a comment and marks are"
        " tasks of their own. Volunteers bear pseudonyms. Our ids begin at 1,000,000,000,000."
        " zooniverse_import makes the same votes of it in another campaign over the same survey;"
        " votes on prototypes and grids need the same map there."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("campaign", help="name of the campaign")
        parser.add_argument("--folder", required=True, help="where to write; files are replaced")
        parser.add_argument(
            "--site", default="", help="as https://zoo.example.org, put before pictures' addresses"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = Campaign.objects.filter(slug=options["campaign"]).first()
        if campaign is None:
            raise CommandError(f"There is no campaign {options['campaign']!r}.")
        folder = Path(options["folder"])
        try:
            with ProgressLine(f"Exporting {campaign.slug}") as progress:
                n_rows = zooniverse_export(
                    campaign=campaign, folder=folder, site=options["site"], report=progress
                )
        except OSError as error:
            raise CommandError(f"The folder {folder} cannot be written to: {error}") from error
        for name, n in n_rows.items():
            self.stdout.write(f"{folder / name}.csv: {n} rows")
