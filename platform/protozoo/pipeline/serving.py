"""Runs the whole site on one machine: the queue's server, one worker, and the web server."""

import subprocess
import sys
from typing import Final

from django.conf import settings
from django.core.management import call_command

from protozoo.jobs.valkey import valkey_ensure, valkey_pid, valkey_stop

STOP_TIMEOUT_S: Final = 10.0


def site_serve(*, address: str) -> int:
    """Serve the site until it is interrupted; give the web server's exit status."""
    call_command("migrate", verbosity=0)
    was_running = valkey_pid() is not None
    valkey_ensure()
    worker = subprocess.Popen(  # noqa: S603
        [sys.executable, str(settings.ROOT / "manage.py"), "worker"], start_new_session=True
    )
    try:
        return subprocess.call(_web_server(address))  # noqa: S603
    except KeyboardInterrupt:
        return 0
    finally:
        worker.terminate()
        try:
            worker.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            worker.kill()  # its job goes on from the checkpoint with the next worker
        if not was_running:
            valkey_stop()


def _web_server(address: str) -> list[str]:
    root = settings.ROOT
    return [
        *(sys.executable, "-m", "gunicorn", "protozoo.config.wsgi:application"),
        *("--bind", address, "--workers", "2", "--threads", "4"),
        *("--pythonpath", f"{root / 'platform'},{root / 'ml'}"),
        *("--log-level", "warning"),
    ]
