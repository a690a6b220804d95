"""`manage.py question_revise`: asks a campaign's question in another way from now on."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from protozoo.exceptions import ProtoZooError
from protozoo.voting.models import Campaign
from protozoo.voting.services import question_revise
from protozoo.voting.trees import tree_read


class Command(BaseCommand):
    help = "Ask in another way from now on; earlier votes keep the version that they answered."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="name of the campaign")
        parser.add_argument("tree", help="JSON file of the question tree")

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = Campaign.objects.filter(slug=options["slug"]).first()
        if campaign is None:
            raise CommandError(f"There is no campaign {options['slug']!r}.")
        try:
            question = question_revise(campaign=campaign, tree=tree_read(Path(options["tree"])))
        except ProtoZooError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Campaign {campaign.slug} asks version {question.version}.")
