"""`manage.py gold_add`: asks subjects whose class is known among all others."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from protozoo.exceptions import ProtoZooError
from protozoo.voting.gold import gold_read
from protozoo.voting.models import Campaign
from protozoo.voting.services import gold_add


class Command(BaseCommand):
    help = (
        "Ask subjects whose class is known among all others: answers to them tell how well each"
        " volunteer does, and volunteers are told. Added again, a subject gets its new label."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("campaign", help="name of the campaign")
        parser.add_argument("table", help="CSV file with the columns id and label")

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = Campaign.objects.filter(slug=options["campaign"]).first()
        if campaign is None:
            raise CommandError(f"There is no campaign {options['campaign']!r}.")
        try:
            labels = gold_read(Path(options["table"]), campaign=campaign)
            n_new = gold_add(campaign=campaign, labels=labels)
        except ProtoZooError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"Campaign {campaign.slug} has {n_new} new gold subjects; the table names"
            f" {len(labels)}."
        )
