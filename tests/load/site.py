"""Starts what a load run needs and stops it again: a PostgreSQL cluster and the web server."""

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Final, Literal

Database = Literal["postgresql", "sqlite"]

START_TIMEOUT_S: Final = 60.0
TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def fresh_site(database: Database) -> Iterator[int | None]:
    """Set Django up on an empty database of its own; give that database's process, if it has one.

    Once in a process, and before anything of the site is imported.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        address, process = f"sqlite:///{folder / 'site.sqlite3'}", None
        if database == "postgresql":
            of_server = Path(stack.enter_context(TemporaryDirectory()))
            address, process = stack.enter_context(postgres(of_server))
        os.environ.update(
            DATABASE_URL=address,
            STORAGE_FOLDER=str(folder),
            LOG_LEVEL="WARNING",
            DJANGO_SETTINGS_MODULE="protozoo.config.settings",
        )
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        try:
            yield process
        finally:
            django.db.connections.close_all()


# PostgreSQL ---------------------------------------------------------------------------------
@contextmanager
def postgres(folder: Path) -> Iterator[tuple[str, int]]:
    """Run a cluster of its own with PostgreSQL's usual settings; give its address and process."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_version, reverse=True)
    if not found:
        raise SystemExit("PostgreSQL is not installed: apt install postgresql, or use SQLite.")
    programs, cluster, port = found[0].parent, folder / "cluster", free_port()
    if os.getuid() == 0:
        shutil.chown(folder, "postgres")
    _as_postgres(
        programs / "initdb", "-D", cluster, "--username=protozoo", "--auth=trust",
        "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync",
    )  # fmt: skip
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
    control = (programs / "pg_ctl", "-D", cluster, "-w", "-s")
    _as_postgres(*control, "-l", cluster / "server.log", "-o", options, "start")
    try:
        _as_postgres(programs / "createdb", "-h", folder, "-p", port, "-U", "protozoo", "protozoo")
        first_line = (cluster / "postmaster.pid").read_text().splitlines()[0]
        yield f"postgresql://protozoo@127.0.0.1:{port}/protozoo", int(first_line)
    finally:
        _as_postgres(*control, "-m", "fast", "stop")


def _version(path: Path) -> int:
    return int(path.parts[-3])


def _as_postgres(*command: object) -> None:
    """Run a program of PostgreSQL, which refuses to run as root."""
    user = pwd.getpwnam("postgres") if os.getuid() == 0 else None
    ids = {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    subprocess.run(
        [str(part) for part in command], check=True, cwd="/", stdout=subprocess.DEVNULL, **ids
    )


# The web server -----------------------------------------------------------------------------
@contextmanager
def web_server(
    command: list[str], address: str, environment: Mapping[str, str] = MappingProxyType({})
) -> Iterator[subprocess.Popen[bytes]]:
    """Run the web server until the block ends."""
    server = subprocess.Popen(command, env={**os.environ, **environment})
    try:
        _wait_for(server, address)
        yield server
    finally:
        server.terminate()
        server.wait(START_TIMEOUT_S)


def _wait_for(server: subprocess.Popen[bytes], address: str) -> None:
    host, _, port = address.rpartition(":")
    deadline = time.monotonic() + START_TIMEOUT_S
    request = f"GET /api/campaigns/ HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise SystemExit(f"The web server ended with status {server.returncode}.")
        try:
            with socket.create_connection((host, int(port)), timeout=5) as connection:
                connection.sendall(request.encode())
                if connection.recv(12).endswith(b" 200"):
                    return
        except OSError:
            pass
        time.sleep(0.1)
    raise SystemExit(f"Nothing answered on {address} within {START_TIMEOUT_S:.0f} s.")


def cpu_seconds(process: int) -> float:
    """Give the processor time of a process, its children and those that have ended."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        return 0.0
    # The name of the program, in brackets, may hold spaces.
    ticks = stat.rpartition(")")[2].split()[11:15]
    return sum(map(int, ticks)) / TICKS_PER_S + sum(cpu_seconds(int(child)) for child in children)
