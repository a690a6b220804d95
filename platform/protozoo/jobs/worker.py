"""The worker: it spawns a fresh Python for each job, because forking after torch deadlocks."""

import logging
from threading import Event
from typing import Final

import django
from django.apps import apps
from rq.worker import SpawnWorker

if not apps.ready:  # the fresh Python of a job starts here, without manage.py
    django.setup()

from protozoo.exceptions import ProtoZooError
from protozoo.jobs.services import jobs_recover
from protozoo.jobs.valkey import valkey_ensure

logger = logging.getLogger(__name__)

# How often a worker looks for jobs whose worker has died.
RECOVER_EVERY_S: Final = 60
# RQ waits for work 15 s less than this before it looks after anything else.
WORKER_TTL_S: Final = RECOVER_EVERY_S + 15
# How often a worker looks whether the bundled queue still runs.
CHECK_QUEUE_EVERY_S: Final = 5.0


def keep_queue(stop: Event) -> None:
    """Start the bundled queue again whenever it has died; jobs wait in the database meanwhile."""
    while not stop.wait(CHECK_QUEUE_EVERY_S):
        try:
            valkey_ensure()
        except ProtoZooError as error:
            logger.warning("%s", error)


class RecoveringWorker(SpawnWorker):
    """Besides waiting for the queue, takes up jobs that lost their worker."""

    def run_maintenance_tasks(self) -> None:
        super().run_maintenance_tasks()  # type: ignore[no-untyped-call]  # RQ has no types
        jobs_recover()
