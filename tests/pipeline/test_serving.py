"""One command serves the whole site, and ends all of it."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from protozoo.pipeline import serving

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def address():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


@pytest.fixture
def environment(tmp_path_factory):
    known = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
    known.pop("DATABASE_URL", None)
    return {**known, "STORAGE_FOLDER": str(tmp_path_factory.mktemp("s"))}


def serve(address, environment):
    return subprocess.Popen(
        [sys.executable, "manage.py", "serve", "--address", address],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def answers(address):
    try:
        with urllib.request.urlopen(f"http://{address}/", timeout=5) as page:
            return page.status == 200
    except OSError:
        return False


def running(environment):
    """Give the processes that were started with this storage folder."""
    mark = f"STORAGE_FOLDER={environment['STORAGE_FOLDER']}".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark in path.read_bytes():
                found.append(path.parent.name)
        except OSError:
            continue
    return found


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks into /proc")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_and_leaves_no_process_behind(address, environment, how):
    with serve(address, environment) as site:
        deadline = time.monotonic() + 60
        while not answers(address):
            assert site.poll() is None, site.stdout.read()
            assert time.monotonic() < deadline, "the site does not answer"
        site.send_signal(how)
        try:
            assert site.wait(60) == 0
        finally:
            site.kill()
    assert running(environment) == []


def test_a_busy_worker_is_asked_twice_so_that_it_ends_its_job(monkeypatch):
    monkeypatch.setattr(serving, "STOP_TIMEOUT_S", 2.0)
    code = (
        "import signal, sys\n"
        "signal.signal(signal.SIGTERM, lambda *_:"
        " signal.signal(signal.SIGTERM, lambda *_: sys.exit(7)))\n"
        "print('ready', flush=True)\n"
        "while True: signal.pause()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as busy:
        busy.stdout.readline()
        serving._end(busy)
    assert busy.returncode == 7


def test_a_taken_address_is_named(address, environment):
    host, port = address.split(":")
    with socket.socket() as taken:
        taken.bind((host, int(port)))
        taken.listen()
        with serve(address, environment) as site:
            said = site.stdout.read()
            site.wait(60)
    assert site.returncode == 1
    assert f"Nothing can be served on {address}" in said
