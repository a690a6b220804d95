"""`manage.py worker`: does the background work."""

import os
from argparse import ArgumentParser
from threading import Event, Thread
from typing import Any

import redis
from django.core.management.base import BaseCommand, CommandError

from protozoo.exceptions import ProtoZooError
from protozoo.jobs.services import queue
from protozoo.jobs.valkey import valkey_ensure
from protozoo.jobs.worker import (
    RECOVER_EVERY_S,
    WORKER_TTL_S,
    RecoveringWorker,
    keep_queue,
)


class Command(BaseCommand):
    help = "Do background work: imports, sortings, releases. Start as many as there are cards."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--burst", action="store_true", help="stop once nothing is left to be done"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "protozoo.config.settings")
        try:
            valkey_ensure()
            work = queue()
            work.connection.ping()
        except (ProtoZooError, redis.RedisError) as error:
            # REDIS_URL may hold a password, so it is named and not shown.
            raise CommandError(f"The queue of REDIS_URL does not answer: {error}") from error
        self.stdout.write("Working; stop with Ctrl-C.")
        stop = Event()
        Thread(target=keep_queue, args=[stop], daemon=True).start()
        worker = RecoveringWorker(
            [work],
            connection=work.connection,
            serializer=work.serializer,
            maintenance_interval=RECOVER_EVERY_S,
            worker_ttl=WORKER_TTL_S,
        )
        try:
            worker.work(burst=options["burst"], logging_level="WARNING")
        finally:
            stop.set()
