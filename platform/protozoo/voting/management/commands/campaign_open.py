"""`manage.py campaign_open`: puts a question to volunteers."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from protozoo.exceptions import ProtoZooError
from protozoo.sorting.models import Sorting
from protozoo.voting.models import Campaign
from protozoo.voting.services import campaign_open
from protozoo.voting.trees import tree_read


class Command(BaseCommand):
    help = "Put a question tree to volunteers over a sorting; opened again, it is the same one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="short name: small letters, digits and '-'")
        parser.add_argument("--sorting", type=int, required=True, help="number of the sorting")
        parser.add_argument("--title", required=True)
        parser.add_argument("--introduction", default="", help="what it is for, in plain words")
        parser.add_argument("--tree", default="", help="JSON file (default: radio morphology)")
        parser.add_argument("--votes", type=int, default=5, help="votes that retire an item")
        parser.add_argument("--outliers", type=int, default=None, help="default: 5 %%, at most 200")
        parser.add_argument(
            "--suggested-tags", default="", help="tags that volunteers are offered, by commas"
        )
        parser.add_argument(
            "--draft", action="store_true", help="show it to nobody until it is opened again"
        )
        parser.add_argument("--seed", type=int, default=0, help="of the order of the items")

    def handle(self, *args: Any, **options: Any) -> None:
        sorting = Sorting.objects.filter(pk=options["sorting"]).first()
        if sorting is None:
            raise CommandError(f"There is no sorting {options['sorting']}; sort a survey first.")
        try:
            campaign = campaign_open(
                sorting=sorting,
                slug=options["slug"],
                title=options["title"],
                introduction=options["introduction"],
                tree=tree_read(Path(options["tree"])) if options["tree"] else None,
                votes_to_retire=options["votes"],
                n_outliers=options["outliers"],
                suggested_tags=options["suggested_tags"].split(","),
                is_draft=options["draft"],
                seed=options["seed"],
            )
        except ProtoZooError as error:
            raise CommandError(str(error)) from error
        n_items = campaign.items.count()
        state = "a draft" if campaign.state == Campaign.State.DRAFT else campaign.state
        self.stdout.write(f"Campaign {campaign.slug} is {state} with {n_items} items.")
