"""`manage.py serve`: runs the whole site on this machine."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from protozoo.exceptions import ProtoZooError
from protozoo.pipeline.serving import site_serve


class Command(BaseCommand):
    help = "Serve the site on this machine: web server, one worker and the bundled queue."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--address", default="127.0.0.1:8000", help="host:port to listen on")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"Serving on http://{options['address']}/ - stop with Ctrl-C.")
        try:
            sys.exit(site_serve(address=options["address"]))
        except ProtoZooError as error:
            raise CommandError(str(error)) from error
