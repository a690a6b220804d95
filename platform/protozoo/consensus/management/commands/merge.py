"""`manage.py merge`: turns a campaign's votes into probabilities."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from protozoo.consensus.services import consensus_run
from protozoo.exceptions import ProtoZooError
from protozoo.jobs.progress import ProgressLine
from protozoo.voting.models import Campaign


class Command(BaseCommand):
    help = "Merge a campaign's votes with its map into class probabilities of every subject."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="name of the campaign")
        parser.add_argument(
            "--fresh",
            action="store_true",
            help="begin anew, not with the last run's matrices",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = Campaign.objects.filter(slug=options["slug"]).first()
        if campaign is None:
            raise CommandError(f"There is no campaign {options['slug']!r}.")
        try:
            with ProgressLine(f"Merging {campaign.slug}") as progress:
                run = consensus_run(campaign=campaign, is_fresh=options["fresh"], report=progress)
        except ProtoZooError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"Consensus {run.pk}: {run.n_votes} votes of {run.n_volunteers} volunteers,"
            f" {run.subjects.count()} subjects."
        )
