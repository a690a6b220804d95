"""Lets a crowd of simulated volunteers work on a site, and checks that nothing was lost.

    .venv/bin/python tests/load/run.py                        200 volunteers, 60 s, PostgreSQL
    .venv/bin/python tests/load/run.py --database sqlite --volunteers 20

Starts a database of its own in a temporary folder (PostgreSQL with its usual settings, or SQLite),
fills it with a campaign of several thousand items, starts the web server just as `manage.py serve`
does, and lets volunteers fetch items, pictures and answer. Some send a vote twice at the same
moment, change their answer, skip an item, or leave and come back; one in ten has an account. Then
what they were told is compared with what the database holds. Ends with status 1 if anything is
wrong.
"""

import argparse
import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "platform"), str(ROOT / "ml")]

from tests.load.site import cpu_seconds, free_port, fresh_site, web_server  # noqa: E402
from tests.load.volunteers import Asked, Habits, Log, crowd_run  # noqa: E402

TOLD = 5


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--database", choices=["postgresql", "sqlite"], default="postgresql")
    parser.add_argument("--volunteers", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument(
        "--pause", type=float, default=1.0, help="mean time in s that a volunteer looks; 0: none"
    )
    parser.add_argument(
        "--merge", action="store_true", help="merge first: each vote is learnt from"
    )
    parser.add_argument("--accounts", type=float, default=0.1, help="share of those signed in")
    parser.add_argument("--pictures", type=float, default=0.2, help="pictures fetched per answer")
    parser.add_argument("--workers", type=int, help="web processes, instead of the usual number")
    parser.add_argument("--threads", type=int, help="threads of each, instead of the usual number")
    parser.add_argument("-o", "--output", type=Path, help="write all figures as JSON")
    return parser.parse_args()


def run(options: argparse.Namespace, process: int | None) -> dict[str, Any]:
    """Fill the database, let the crowd work, and judge."""
    from django.db import connection

    from protozoo.pipeline.serving import web_server_command
    from protozoo.voting.models import Vote
    from tests.load.campaign import SLUG, Size, accounts_make, campaign_make, campaign_merge
    from tests.load.findings import figures_of, findings_of

    campaign = campaign_make(Size())
    if options.merge:
        campaign_merge(campaign)
    accounts = accounts_make(round(options.accounts * options.volunteers))
    if process is not None:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    before = Vote.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    address = f"127.0.0.1:{free_port()}"
    command = web_server_command(address, workers=options.workers, threads=options.threads)
    with web_server(command, address) as server:
        spent = Spent(server.pid, process)
        log = crowd_run(
            address=address,
            slug=SLUG,
            n_volunteers=options.volunteers,
            seconds=options.seconds,
            habits=Habits(pause_s=options.pause, pictures=options.pictures),
            accounts=accounts,
        )
        cost = spent.since()
    campaign.refresh_from_db()
    findings = findings_of(campaign, log, last_vote_before=before)
    if process is not None:
        findings["deadlocks"] = deadlocks()
    return {
        "about": about(options),
        **figures_of(campaign, log, cost["wall_s"]),
        "seconds": percentiles(log),
        "cost": cost,
        "findings": findings,
    }


def deadlocks() -> list[str]:
    """Ask PostgreSQL for transactions that waited for each other."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        (n,) = cursor.fetchone()
    return [f"{n} deadlocks"] if n else []


class Spent:
    """Processor time of the web server, the database and the crowd itself since a moment."""

    def __init__(self, server: int, database: int | None) -> None:
        self._server, self._database = server, database
        self._before = self._now()

    def since(self) -> dict[str, float]:
        now = self._now()
        return {name: round(now[name] - self._before[name], 2) for name in now}

    def _now(self) -> dict[str, float]:
        found = {
            "wall_s": time.monotonic(),
            "web_cpu_s": cpu_seconds(self._server),
            "crowd_cpu_s": time.process_time(),
        }
        if self._database is not None:
            found["database_cpu_s"] = cpu_seconds(self._database)
        return found


def percentiles(log: Log) -> dict[str, dict[str, float]]:
    """Give the median, 95th and 99th percentile of what each kind of request took."""
    kinds = sorted({asked.what for asked in log.asked})
    return {kind: _percentiles([one for one in log.asked if one.what == kind]) for kind in kinds}


def _percentiles(asked: list[Asked]) -> dict[str, float]:
    seconds = sorted(one.seconds for one in asked)
    places = {"p50": 0.50, "p95": 0.95, "p99": 0.99}
    found = {name: round(seconds[int(q * (len(seconds) - 1))], 4) for name, q in places.items()}
    return {"n": len(seconds), **found}


def about(options: argparse.Namespace) -> dict[str, Any]:
    return {
        "database": options.database,
        "volunteers": options.volunteers,
        "seconds": options.seconds,
        "pause_s": options.pause,
        "merged_before": options.merge,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }


def tell(result: dict[str, Any]) -> None:
    """Print figures, and the first findings of each kind."""
    shown = {key: value for key, value in result.items() if not isinstance(value, dict)}
    print(", ".join(f"{key} {value}" for key, value in result["about"].items()))
    print(", ".join(f"{key} {value}" for key, value in shown.items()))
    print(", ".join(f"{key} {value}" for key, value in result["cost"].items()))
    for kind, figures in result["seconds"].items():
        row = " ".join(
            f"{name} {value * 1000:7.1f} ms" for name, value in list(figures.items())[1:]
        )
        print(f"  {kind:9} {figures['n']:7.0f} requests  {row}")
    for kind, found in result["findings"].items():
        print(f"  {kind}: {len(found) or 'none'}")
        for line in found[:TOLD]:
            print(f"    {line}")


def main() -> None:
    options = arguments()
    with fresh_site(options.database) as process:
        result = run(options, process)
    tell(result)
    if options.output:
        options.output.write_text(json.dumps(result, indent=1) + "\n")
    sys.exit(any(result["findings"].values()))


if __name__ == "__main__":
    main()
