"""The bundled Valkey wakes a worker, survives its starter, and is found again."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Event, Thread

import pytest

from protozoo.jobs.models import Job
from protozoo.jobs.services import job_wake, queue
from protozoo.jobs.valkey import is_bundled, valkey_ensure, valkey_pid, valkey_stop
from protozoo.jobs.worker import RECOVER_EVERY_S, WORKER_TTL_S, RecoveringWorker, keep_queue

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def valkey(settings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("v")  # short, for the socket's sake
    settings.STORAGE_FOLDER = folder
    settings.VALKEY_SOCKET = folder / "v.sock"
    settings.REDIS_URL = f"unix://{settings.VALKEY_SOCKET}"
    yield folder
    valkey_stop()


def manage(environment, *words):
    """Run a command in a fresh process and give what it says."""
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def test_it_starts_once_and_is_found_again(valkey):
    first = valkey_ensure()
    assert first is not None
    assert valkey_ensure() == first == valkey_pid()
    assert queue().connection.ping()


def test_it_stops_by_its_pid_file(valkey):
    valkey_ensure()
    assert valkey_stop()
    assert valkey_pid() is None
    assert not valkey_stop()


def test_it_starts_again_after_being_killed(valkey):
    first = valkey_ensure()
    os.kill(first, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while valkey_pid() == first:
        assert time.monotonic() < deadline, "a killed server is still listed"
    assert valkey_ensure() not in {None, first}


def test_two_starters_at_once_start_one_server(valkey):
    code = (
        "import os, sys; sys.path[:0] = ['platform', 'ml'];"
        " os.environ['DJANGO_SETTINGS_MODULE'] = 'protozoo.config.settings';"
        " import django; django.setup();"
        " from protozoo.jobs.valkey import valkey_ensure; print(valkey_ensure())"
    )
    environment = {**os.environ, "STORAGE_FOLDER": str(valkey)}
    environment.pop("REDIS_URL", None)
    starters = [
        subprocess.Popen(
            [sys.executable, "-c", code], cwd=ROOT, env=environment, stdout=subprocess.PIPE
        )
        for _ in range(3)
    ]
    pids = {starter.communicate()[0] for starter in starters}
    assert pids == {f"{valkey_pid()}\n".encode()}


def test_a_worker_starts_a_killed_server_again(valkey, monkeypatch):
    monkeypatch.setattr("protozoo.jobs.worker.CHECK_QUEUE_EVERY_S", 0.05)
    first = valkey_ensure()
    stop = Event()
    keeper = Thread(target=keep_queue, args=[stop])
    keeper.start()
    try:
        os.kill(first, signal.SIGKILL)
        deadline = time.monotonic() + 30
        while valkey_pid() in {None, first}:
            assert time.monotonic() < deadline, "nobody starts it again"
    finally:
        stop.set()
        keeper.join()
    assert queue().connection.ping()


def test_an_idle_worker_looks_for_lost_jobs_every_minute(valkey):
    valkey_ensure()
    worker = RecoveringWorker([queue()], connection=queue().connection, worker_ttl=WORKER_TTL_S)
    assert worker.dequeue_timeout == RECOVER_EVERY_S


def test_another_server_is_left_alone(settings):
    settings.REDIS_URL = "redis://localhost:6379/0"
    assert not is_bundled()
    assert valkey_ensure() is None


@pytest.mark.django_db
def test_without_a_queue_a_job_waits_in_the_database(caplog):
    job = Job.objects.create(task="protozoo.sky.tasks.none", title="Wait")
    assert not job_wake(job_id=job.pk)
    assert "waits in the database" in caplog.text


def test_it_outlives_a_killed_parent(tmp_path_factory):
    folder = tmp_path_factory.mktemp("w")
    environment = {**os.environ, "STORAGE_FOLDER": str(folder)}
    environment.pop("REDIS_URL", None)
    code = (
        "import os, signal, sys; sys.path[:0] = ['platform', 'ml'];"
        " os.environ['DJANGO_SETTINGS_MODULE'] = 'protozoo.config.settings';"
        " import django; django.setup();"
        " from protozoo.jobs.valkey import valkey_ensure; valkey_ensure();"
        " os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=False)
    assert done.returncode == -signal.SIGKILL

    assert "runs as process" in manage(environment, "valkey", "status")
    assert manage(environment, "valkey", "stop") == "Valkey stopped.\n"
    assert manage(environment, "valkey", "status") == "Valkey is stopped.\n"


def test_a_worker_does_what_waits_in_the_database(tmp_path_factory):
    """A real worker, a real queue, a database of its own, in fresh processes."""
    folder = tmp_path_factory.mktemp("x")
    environment = {**os.environ, "STORAGE_FOLDER": str(folder)}
    for name in ("REDIS_URL", "DATABASE_URL"):
        environment.pop(name, None)

    manage(environment, "migrate", "-v0")
    pattern = str(ROOT / "fixtures" / "survey" / "field-1.fits.fz")
    try:
        said = manage(environment, "survey_import", "one", "--mosaics", pattern, "--queue")
        assert "waits for a worker" in said
        manage(environment, "worker", "--burst")
        tell = (
            "from protozoo.jobs.models import Job; job = Job.objects.get();"
            " print(job.state, job.error, job.result['imported'] > 50)"
        )
        assert manage(environment, "shell", "-v0", "-c", tell).strip() == "done  True"
    finally:
        manage(environment, "valkey", "stop")
