"""Runs the whole site on one machine: the queue's server, one worker, and the web server."""

import signal
import socket
import subprocess
import sys
from typing import Final

from django.conf import settings
from django.core.management import call_command

from protozoo.exceptions import ProtoZooError
from protozoo.jobs.valkey import valkey_ensure, valkey_pid, valkey_stop

STOP_TIMEOUT_S: Final = 10.0
WORKERS: Final = 2
THREADS: Final = 4


class AddressError(ProtoZooError):
    """The site cannot be served there."""

    code = "address"


def site_serve(*, address: str) -> int:
    """Serve the site until it is interrupted or told to end; give an exit status."""
    _check_free(address)
    call_command("migrate", verbosity=0)
    was_running = valkey_pid() is not None
    valkey_ensure()
    manage = [sys.executable, str(settings.ROOT / "manage.py")]
    # Sessions of their own: Ctrl-C reaches this process alone, and it ends the others in order.
    processes = [
        subprocess.Popen([*manage, "worker"], start_new_session=True),  # noqa: S603
        subprocess.Popen(web_server_command(address), start_new_session=True),  # noqa: S603
    ]
    for ending in (signal.SIGINT, signal.SIGTERM):  # a shell's background ignores the first
        signal.signal(ending, signal.default_int_handler)
    try:
        return processes[-1].wait()
    except KeyboardInterrupt:
        return 0
    finally:
        for process in reversed(processes):
            _end(process)
        if not was_running:
            valkey_stop()


def _check_free(address: str) -> None:
    host, _, port = address.rpartition(":")
    if not port.isdigit():
        raise AddressError(f"An address is HOST:PORT, such as 127.0.0.1:8000; got {address!r}.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host or "0.0.0.0", int(port)))  # noqa: S104  (only tries)
        except OSError as error:
            raise AddressError(
                f"Nothing can be served on {address}: {error.strerror}. Is another server running"
                " there? Stop it, or choose another address with --address."
            ) from error


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask a process to end, then to end at once, then end it.

    Asked a second time, a worker ends the process of its job, too; killed, it would leave that
    behind. The job goes on from its checkpoint with the next worker.
    """
    for end in (process.terminate, process.terminate, process.kill):
        end()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            continue
        return


def web_server_command(
    address: str, *, workers: int | None = None, threads: int | None = None
) -> list[str]:
    """Give the command that serves the site's pages."""
    root = settings.ROOT
    return [
        *(sys.executable, "-m", "gunicorn", "protozoo.config.wsgi:application"),
        *("--bind", address, "--workers", str(workers or WORKERS)),
        *("--threads", str(threads or THREADS)),
        *("--pythonpath", f"{root / 'platform'},{root / 'ml'}"),
        *("--log-level", "warning"),
    ]
