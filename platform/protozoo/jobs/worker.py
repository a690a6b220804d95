"""The worker: it spawns a fresh Python for each job, because forking after torch deadlocks."""

import django
from django.apps import apps
from rq.worker import SpawnWorker

if not apps.ready:  # the fresh Python of a job starts here, without manage.py
    django.setup()

from protozoo.jobs.services import jobs_recover

# How often a worker looks for jobs whose worker has died.
RECOVER_EVERY_S = 60


class RecoveringWorker(SpawnWorker):
    """Besides waiting for the queue, takes up jobs that lost their worker."""

    def run_maintenance_tasks(self) -> None:
        super().run_maintenance_tasks()  # type: ignore[no-untyped-call]  # RQ has no types
        jobs_recover()
