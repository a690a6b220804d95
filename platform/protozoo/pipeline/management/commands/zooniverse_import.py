"""`manage.py zooniverse_import`: brings a classification export of Zooniverse into a campaign."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from protozoo.consensus.refits import merge_later
from protozoo.exceptions import ProtoZooError
from protozoo.jobs.progress import ProgressLine
from protozoo.voting.models import Campaign, ZooniverseClassification
from protozoo.voting.zooniverse.answers import answers_read
from protozoo.voting.zooniverse.imports import (
    ZooniverseChoices,
    ZooniverseReport,
    zooniverse_import,
)

LABELS_SHOWN: Final = 10


class Command(BaseCommand):
    help = (
        "Bring a classification export of Zooniverse into a campaign. Every row is kept as it"
        " came; one that answers the campaign's question on a subject of its survey also becomes"
        " a vote, and a worker merges all votes afterwards. Importing again adds only what is new,"
        " and tries rows again that made no vote. Of a volunteer's answers to one subject the"
        " first counts. Subjects are matched by their id at Zooniverse or by their metadata"
        " (identifier, filename, ...). A question tree for the campaign can be made from the"
        " export: skysort zooniverse EXPORT.csv --tree TREE.json."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("campaign", help="name of the campaign")
        parser.add_argument("export", help="classifications.csv, also compressed by gzip")
        parser.add_argument("--workflow", default="", help="id; leave other workflows without vote")
        parser.add_argument("--task", default="", help="task that answers the question, as T0")
        parser.add_argument(
            "--answers",
            default="",
            help="JSON file of labels and the leaves that they mean, null for none; otherwise the"
            " words of both are compared",
        )
        parser.add_argument(
            "--match", default="", help="column of the metadata that names the survey's subject"
        )
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="do it, report, and take it back; meanwhile votes may have to wait, and on SQLite"
            " nobody else can write",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = Campaign.objects.filter(slug=options["campaign"]).first()
        if campaign is None:
            raise CommandError(f"There is no campaign {options['campaign']!r}.")
        try:
            choices = ZooniverseChoices(
                workflow=options["workflow"],
                task=options["task"],
                answers=answers_read(Path(options["answers"])) if options["answers"] else {},
                match=options["match"],
            )
            with ProgressLine(f"Importing into {campaign.slug}") as progress:
                found = zooniverse_import(
                    campaign=campaign,
                    path=Path(options["export"]),
                    choices=choices,
                    is_rehearsal=options["dry_run"],
                    report=progress,
                )
        except ProtoZooError as error:
            raise CommandError(str(error)) from error
        self._tell(found)
        if options["dry_run"]:
            self.stdout.write("Nothing was written.")
        elif found.n_votes:
            with transaction.atomic():
                job = merge_later(campaign=campaign)
            self.stdout.write(
                f"Job {job.pk} merges all votes as soon as a worker is free; manage.py merge"
                f" {campaign.slug} does it now."
            )

    def _tell(self, found: ZooniverseReport) -> None:
        self.stdout.write(
            f"{found.n_rows} rows read: {found.n_new} new, {found.n_known} known,"
            f" {found.n_votes} new votes, {found.n_volunteers} new volunteers;"
            f" {found.n_subjects_known} of {found.n_subjects} subjects are in the survey."
        )
        if found.task:
            self.stdout.write(f"Task {found.task} answers the question.")
        for outcome in ZooniverseClassification.Outcome:
            if found.outcomes[outcome] and outcome != ZooniverseClassification.Outcome.VOTE:
                self.stdout.write(
                    f"  {found.outcomes[outcome]} kept without a vote: {outcome.label}"
                )
        for label, n in found.unknown_labels.most_common(LABELS_SHOWN):
            self.stdout.write(f"    {n} times {label!r}")
        if found.n_own:
            self.stdout.write(f"  {found.n_own} are votes of this campaign already")
        if found.n_repeated:
            self.stdout.write(f"  {found.n_repeated} stood in an earlier row already")
        if found.n_faults:
            self.stdout.write(f"  {found.n_faults} cannot be read:")
        for fault in found.faults:
            self.stdout.write(f"    {fault}")
