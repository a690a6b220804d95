"""`manage.py release`: freezes a campaign's newest consensus into a catalog."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from protozoo.catalog.services import release_freeze
from protozoo.exceptions import ProtoZooError
from protozoo.jobs.progress import ProgressLine
from protozoo.voting.models import Campaign


class Command(BaseCommand):
    help = "Freeze a campaign's newest consensus and reviews into a versioned catalog."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="name of the campaign")
        parser.add_argument("--notes", default="", help="what is new, for the release's README")

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = Campaign.objects.filter(slug=options["slug"]).first()
        if campaign is None:
            raise CommandError(f"There is no campaign {options['slug']!r}.")
        try:
            with ProgressLine(f"Releasing {campaign.slug}") as progress:
                release = release_freeze(campaign=campaign, notes=options["notes"], report=progress)
        except ProtoZooError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Release {release.version}: {release.n_rows} rows in {release.folder}")
