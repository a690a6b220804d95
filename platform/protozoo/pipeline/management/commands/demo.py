"""`manage.py demo`: the whole way once on the synthetic survey, then the site."""

import os
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, NoReturn

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from protozoo.exceptions import ProtoZooError
from protozoo.jobs.progress import ProgressLine
from protozoo.pipeline.demo import SLUG, DemoResult, demo_run
from protozoo.pipeline.serving import site_serve


class Command(BaseCommand):
    help = (
        "Import the synthetic survey, sort it, let simulated volunteers vote, merge, release, and"
        " serve the site, where you can go on voting. Running it again repeats nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--folder", default="", help="where to put everything (default: STORAGE_FOLDER)"
        )
        parser.add_argument("--no-serve", action="store_true", help="stop before the web server")
        parser.add_argument("--address", default="127.0.0.1:8000", help="host:port of the site")

    def handle(self, *args: Any, **options: Any) -> None:
        folder = Path(options["folder"]).expanduser().resolve() if options["folder"] else None
        if folder is not None and folder != Path(settings.STORAGE_FOLDER):
            _become_demo_in(folder, options)
        call_command("migrate", verbosity=0)
        try:
            self._tell(demo_run(stage=ProgressLine))
            if not options["no_serve"]:
                self._serve(options["address"])
        except ProtoZooError as error:
            raise CommandError(str(error)) from error

    def _serve(self, address: str) -> None:
        self.stdout.write(f"\nVote on:   http://{address}/campaigns/{SLUG}/   (Ctrl-C stops)")
        self.stdout.flush()
        sys.exit(site_serve(address=address))

    def _tell(self, result: DemoResult) -> None:
        release = result.release
        self.stdout.write(
            f"\nCatalog:   {result.catalog}\n"
            f"Rows:      {result.n_subjects}, release {release.version}\n"
            f"Votes:     {release.run.n_votes}, of these {result.n_simulated_votes} by simulated"
            f" volunteers; {result.votes_per_row:.2f} per row\n"
            f"Accuracy:  {result.accuracy:.3f} against the known truth"
            f" ({result.n_right} of {result.n_subjects})"
        )
        ledger = release.run.ledger
        accuracy = ledger.get("accuracy")
        if accuracy:
            self.stdout.write(
                f"Audit:     accuracy {accuracy['value']:.3f} by the votes on {accuracy['n_rows']}"
                " random subjects, of rows that nobody looked at;"
                f" 95 % interval {accuracy['low']:.3f} to {accuracy['high']:.3f}"
            )


def _become_demo_in(folder: Path, options: dict[str, Any]) -> NoReturn:
    """Start the command anew: settings read the storage folder once, when Python starts.

    This process becomes the new one, so that Ctrl-C finds nobody in between who ends it too soon.
    """
    command = [sys.executable, str(settings.ROOT / "manage.py"), "demo"]
    command += ["--no-serve"] if options["no_serve"] else ["--address", options["address"]]
    environment = {**os.environ, "STORAGE_FOLDER": str(folder)}
    os.execve(sys.executable, command, environment)  # noqa: S606  (no shell is wanted)
