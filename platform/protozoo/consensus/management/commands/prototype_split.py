"""`manage.py prototype_split`: sorts the members of a prototype by themselves."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from protozoo.consensus.splits import SPLIT_TASK, split_proposal_get
from protozoo.exceptions import ProtoZooError
from protozoo.jobs.progress import ProgressLine
from protozoo.jobs.services import job_do
from protozoo.sorting.models import Prototype
from protozoo.voting.models import Campaign


class Command(BaseCommand):
    help = "Sort the members of an impure prototype by themselves, and ask about the new ones."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="name of the campaign")
        parser.add_argument("row", type=int, help="row of the prototype, from 0")
        parser.add_argument("column", type=int, help="column of the prototype, from 0")

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = Campaign.objects.filter(slug=options["slug"]).first()
        if campaign is None:
            raise CommandError(f"There is no campaign {options['slug']!r}.")
        place = {"row": options["row"], "column": options["column"]}
        prototype = Prototype.objects.filter(sorting=campaign.sorting_id, **place).first()
        if prototype is None:
            raise CommandError(
                f"The map of {campaign.slug} has no prototype {place['row']}, {place['column']}."
            )
        try:
            proposal = split_proposal_get(campaign=campaign, prototype=prototype)
            with ProgressLine(f"Splitting {prototype}") as progress:
                job = job_do(
                    task=SPLIT_TASK,
                    arguments={"proposal_id": proposal.pk},
                    title=f"Split prototype {prototype.row}, {prototype.column} of {campaign}"[
                        :200
                    ],
                    on_progress=progress,
                )
        except ProtoZooError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"Map {job.result['sorting']} of its members; {job.result['items']} new prototypes"
            " are asked about from now on."
        )
