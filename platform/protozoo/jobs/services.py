"""Makes, runs and recovers background work.

A task is a function `task(report, **arguments)` in some app's `tasks.py`. It calls
`report(done, total, message)` at least every few minutes: that writes the progress, renews the
lease, and raises when the job was cancelled or taken over.
"""

import logging
import time
import traceback
import uuid
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final, Protocol

import redis
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.module_loading import import_string
from rq import Queue
from rq.serializers import JSONSerializer

from protozoo.accounts.models import User
from protozoo.exceptions import ProtoZooError
from protozoo.jobs.exceptions import (
    JobCancelledError,
    JobFailedError,
    JobTaskError,
    LeaseLostError,
)
from protozoo.jobs.models import Job

logger = logging.getLogger(__name__)

# Longer than the longest step between two reports, short enough to notice a killed worker.
LEASE: Final = timedelta(minutes=5)
# A report within this time of the last one is not written: the database has other work.
REPORT_EVERY_S: Final = 1.0
QUEUE_NAME: Final = "protozoo"
# RQ must never cut work short: a survey may take a day, and the lease watches over it.
NO_TIMEOUT: Final = -1


class Report(Protocol):
    """Says how far a piece of work has come."""

    def __call__(self, done: int, total: int, message: str = "") -> None: ...


def silent(done: int, total: int, message: str = "") -> None:
    """Report to nobody."""


def queue() -> Queue:
    """Open the queue that wakes the workers."""
    connection = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2)
    return Queue(QUEUE_NAME, connection=connection, serializer=JSONSerializer)


def job_create(
    *, task: str, arguments: Mapping[str, Any], title: str, created_by: User | None = None
) -> Job:
    """Write down work to be done and wake a worker once the transaction holds."""
    _check_name(task)
    job = Job.objects.create(
        task=task, arguments=dict(arguments), title=title, created_by=created_by
    )
    transaction.on_commit(lambda: job_wake(job_id=job.pk))
    return job


def job_do(
    *, task: str, arguments: Mapping[str, Any], title: str, on_progress: Report = silent
) -> Job:
    """Do work here and now and leave the same record as a worker would; raise if it fails."""
    _check_name(task)
    job = Job.objects.create(task=task, arguments=dict(arguments), title=title)
    job = job_run(job_id=job.pk, on_progress=on_progress)
    if job.state != Job.State.DONE:
        raise JobFailedError(f"{title}: {job.error or job.get_state_display()}")
    return job


def job_wake(*, job_id: int) -> bool:
    """Tell the workers of a job; without a queue it waits in the database for the next worker."""
    try:
        queue().enqueue("protozoo.jobs.tasks.run", job_id, job_timeout=NO_TIMEOUT, result_ttl=0)
    except redis.RedisError as error:
        logger.warning("Job %s waits in the database: no queue answers (%s)", job_id, error)
        return False
    return True


def job_run(*, job_id: int, on_progress: Report = silent) -> Job:
    """Run a job here and now, unless somebody else holds it; never raises what the task raises."""
    token = _lease_take(job_id)
    job = Job.objects.get(pk=job_id)
    if token is None:
        return job
    report = _reporter(job_id, token, on_progress)
    try:
        result = _task_function(job.task)(report, **job.arguments)
    except LeaseLostError:
        logger.warning("Job %s was taken over by another worker; this one stops", job_id)
    except JobCancelledError:
        _finish(job_id, token, state=Job.State.CANCELLED)
    except KeyboardInterrupt:
        _finish(job_id, token, state=Job.State.CANCELLED, error="Interrupted at the keyboard.")
        raise
    except ProtoZooError as error:
        _finish(job_id, token, state=Job.State.FAILED, error=str(error))
    except Exception as error:
        logger.exception("Job %s failed", job_id)
        said = "".join(traceback.format_exception_only(error)).strip()
        _finish(job_id, token, state=Job.State.FAILED, error=said)
    else:
        _finish(job_id, token, state=Job.State.DONE, result=dict(result or {}))
    job.refresh_from_db()
    return job


def job_cancel(*, job_id: int) -> Job:
    """Ask a job to stop; one that nobody runs stops at once."""
    waiting = Job.objects.filter(pk=job_id, state=Job.State.QUEUED)
    if not waiting.update(state=Job.State.CANCELLED, finished_at=timezone.now()):
        Job.objects.filter(pk=job_id, state=Job.State.RUNNING).update(cancel_requested=True)
    return Job.objects.get(pk=job_id)


def job_retry(*, job_id: int) -> Job:
    """Put a failed or cancelled job back into the queue; it goes on from its checkpoint."""
    finished = Job.objects.filter(pk=job_id, state__in=[Job.State.FAILED, Job.State.CANCELLED])
    if finished.update(state=Job.State.QUEUED, error="", cancel_requested=False, finished_at=None):
        transaction.on_commit(lambda: job_wake(job_id=job_id))
    return Job.objects.get(pk=job_id)


def jobs_recover() -> list[int]:
    """Wake workers for every job that waits, or whose worker has gone silent."""
    lost = Q(state=Job.State.RUNNING, lease_expires_at__lt=timezone.now())
    waiting = Job.objects.filter(Q(state=Job.State.QUEUED) | lost).order_by("pk")
    keys = list(waiting.values_list("pk", flat=True))
    for key in keys:
        job_wake(job_id=key)
    return keys


def _check_name(task: str) -> None:
    """Check the name alone: a web process must not import what a task imports, torch for one."""
    parts = task.split(".")
    if len(parts) != 4 or parts[0] != "protozoo" or parts[2] != "tasks":
        raise JobTaskError(f"A task is named 'protozoo.APP.tasks.FUNCTION', got {task!r}.")


def _task_function(task: str) -> Callable[..., Mapping[str, Any] | None]:
    _check_name(task)
    try:
        function: Callable[..., Mapping[str, Any] | None] = import_string(task)
    except ImportError as error:
        raise JobTaskError(f"There is no task {task!r}.") from error
    return function


def _lease_take(job_id: int) -> uuid.UUID | None:
    now = timezone.now()
    token = uuid.uuid4()
    free = Q(state=Job.State.QUEUED) | Q(state=Job.State.RUNNING, lease_expires_at__lt=now)
    taken = Job.objects.filter(free, pk=job_id).update(
        state=Job.State.RUNNING,
        lease_token=token,
        lease_expires_at=now + LEASE,
        started_at=now,
        attempts=F("attempts") + 1,
    )
    return token if taken else None


def _reporter(job_id: int, token: uuid.UUID, on_progress: Report) -> Report:
    written_at = 0.0

    def report(done: int, total: int, message: str = "") -> None:
        nonlocal written_at
        on_progress(done, total, message)
        if time.monotonic() - written_at < REPORT_EVERY_S and done < total:
            return
        written_at = time.monotonic()
        held = Job.objects.filter(pk=job_id, lease_token=token, state=Job.State.RUNNING)
        if not held.update(
            progress_done=done,
            progress_total=total,
            message=message[:300],
            lease_expires_at=timezone.now() + LEASE,
        ):
            raise LeaseLostError(f"Job {job_id} is no longer this worker's.")
        if held.filter(cancel_requested=True).exists():
            raise JobCancelledError(f"Job {job_id} was cancelled.")

    return report


def _finish(
    job_id: int,
    token: uuid.UUID,
    *,
    state: Job.State,
    error: str = "",
    result: dict[str, Any] | None = None,
) -> None:
    Job.objects.filter(pk=job_id, lease_token=token).update(
        state=state,
        error=error,
        result=result or {},
        lease_token=None,
        lease_expires_at=None,
        finished_at=timezone.now(),
    )
