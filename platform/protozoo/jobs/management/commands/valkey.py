"""`manage.py valkey`: starts, stops or asks for the bundled queue server."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from protozoo.exceptions import ProtoZooError
from protozoo.jobs.valkey import is_bundled, valkey_ensure, valkey_pid, valkey_stop


class Command(BaseCommand):
    help = "Start, stop or look at the bundled Valkey, which wakes the workers."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["start", "stop", "status"])

    def handle(self, *args: Any, **options: Any) -> None:
        if not is_bundled():
            raise CommandError("REDIS_URL names another server; the bundled one is not used.")
        match options["action"]:
            case "start":
                try:
                    self.stdout.write(f"Valkey runs as process {valkey_ensure()}.")
                except ProtoZooError as error:
                    raise CommandError(str(error)) from error
            case "stop":
                self.stdout.write("Valkey stopped." if valkey_stop() else "Valkey was not running.")
            case _:
                pid = valkey_pid()
                self.stdout.write(f"Valkey runs as process {pid}." if pid else "Valkey is stopped.")
