"""A job's row tells the truth, whoever runs it and however it ends."""

import sys
import types
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from protozoo.exceptions import ProtoZooError
from protozoo.jobs import services
from protozoo.jobs.exceptions import JobFailedError, JobTaskError
from protozoo.jobs.models import Job
from protozoo.jobs.services import (
    job_cancel,
    job_create,
    job_do,
    job_retry,
    job_run,
    jobs_recover,
)

pytestmark = pytest.mark.django_db
TASK = "protozoo.sky.tasks.task"


@pytest.fixture(autouse=True)
def woken(monkeypatch):
    keys = []
    monkeypatch.setattr(services, "job_wake", lambda *, job_id: keys.append(job_id) or True)
    monkeypatch.setattr(services, "REPORT_EVERY_S", 0.0)
    return keys


@pytest.fixture
def task(monkeypatch):
    """Let a test say what the task does."""
    module = types.ModuleType("protozoo.sky.tasks")
    module.task = lambda report: None
    monkeypatch.setitem(sys.modules, "protozoo.sky.tasks", module)
    return module


def make(**fields):
    return Job.objects.create(task=TASK, title="Count stars", **fields)


def test_a_worker_is_woken_once_the_transaction_holds(woken, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        job = job_create(task=TASK, arguments={}, title="Count stars")
        assert woken == []
    assert woken == [job.pk]
    assert job.state == "queued"


@pytest.mark.parametrize("name", ["os.system", "protozoo.sky.positions.healpix_of", "x"])
def test_only_tasks_can_be_jobs(name):
    with pytest.raises(JobTaskError, match=r"protozoo\.APP\.tasks\.FUNCTION"):
        job_create(task=name, arguments={}, title="No")


def test_a_task_that_is_not_there_fails_with_its_name():
    job = job_run(job_id=Job.objects.create(task="protozoo.sky.tasks.none", title="No").pk)
    assert (job.state, job.error) == ("failed", "There is no task 'protozoo.sky.tasks.none'.")


def test_progress_and_result_are_written_down(task):
    seen = []

    def work(report, *, n):
        report(1, n, "half")
        seen.append(Job.objects.get())
        return {"stars": n}

    task.task = work
    job = job_run(job_id=make(arguments={"n": 2}).pk)
    assert (seen[0].percent, seen[0].message, seen[0].state) == (50, "half", "running")
    assert (job.state, job.result, job.attempts) == ("done", {"stars": 2}, 1)
    assert job.lease_token is None
    assert job.finished_at is not None


def test_an_expected_failure_gives_its_sentence(task):
    def work(report):
        raise ProtoZooError("The sky is cloudy.")

    task.task = work
    job = job_run(job_id=make().pk)
    assert (job.state, job.error) == ("failed", "The sky is cloudy.")


def test_a_surprise_is_kept_and_logged(task, caplog):
    def work(report):
        raise KeyError("Sirius")

    task.task = work
    assert job_run(job_id=make().pk).error == "KeyError: 'Sirius'"
    assert "Traceback" in caplog.text


def test_a_job_that_another_worker_holds_is_left_alone(task):
    task.task = lambda report: pytest.fail("it ran twice")
    job = make(
        state="running",
        lease_token=uuid.uuid4(),
        lease_expires_at=timezone.now() + timedelta(minutes=1),
    )
    assert job_run(job_id=job.pk).state == "running"


def test_a_killed_workers_job_is_taken_up_again(task, woken):
    job = make(
        state="running",
        lease_token=uuid.uuid4(),
        lease_expires_at=timezone.now() - timedelta(seconds=1),
        attempts=1,
    )
    assert jobs_recover() == [job.pk] == woken
    assert job_run(job_id=job.pk).attempts == 2
    assert jobs_recover() == []


def test_a_second_copy_notices_that_its_token_is_stale_and_stops(task):
    def work(report):
        Job.objects.update(lease_token=uuid.uuid4())  # somebody else has taken it up
        report(1, 2)
        pytest.fail("it went on")

    task.task = work
    job = job_run(job_id=make().pk)
    assert (job.state, job.error) == ("running", "")


def test_a_finished_copy_does_not_overwrite_the_one_that_took_over(task):
    def work(report):
        Job.objects.update(lease_token=uuid.uuid4())
        return {"stars": 1}

    task.task = work
    assert job_run(job_id=make().pk).result == {}


def test_a_running_job_stops_at_its_next_report_when_cancelled(task):
    def work(report):
        job_cancel(job_id=Job.objects.get().pk)
        report(1, 2)
        pytest.fail("it went on")

    task.task = work
    assert job_run(job_id=make().pk).state == "cancelled"


def test_a_waiting_job_is_cancelled_at_once_and_can_be_retried(
    task, woken, django_capture_on_commit_callbacks
):
    job = make()
    assert job_cancel(job_id=job.pk).state == "cancelled"
    assert job_run(job_id=job.pk).state == "cancelled"
    with django_capture_on_commit_callbacks(execute=True):
        assert job_retry(job_id=job.pk).state == "queued"
    assert woken == [job.pk]
    assert job_run(job_id=job.pk).state == "done"


def test_work_done_here_and_now_raises_what_went_wrong(task):
    def work(report):
        raise ProtoZooError("The sky is cloudy.")

    task.task = work
    with pytest.raises(JobFailedError, match="Count stars: The sky is cloudy"):
        job_do(task=TASK, arguments={}, title="Count stars")


def test_an_interrupt_at_the_keyboard_ends_the_job_at_once(task):
    def work(report):
        raise KeyboardInterrupt

    task.task = work
    job = make()
    with pytest.raises(KeyboardInterrupt):
        job_run(job_id=job.pk)
    job.refresh_from_db()
    assert (job.state, job.error) == ("cancelled", "Interrupted at the keyboard.")
    assert job.can_retry
