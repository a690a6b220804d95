"""Runs management commands and says in one sentence why one stopped: its database, or Ctrl-C."""

import sys
from collections.abc import Sequence
from typing import Final

from django.core.management import execute_from_command_line
from django.db import DatabaseError, IntegrityError, ProgrammingError

# What shells expect of a process that Ctrl-C has ended: 128 and the number of the signal.
INTERRUPTED: Final = 130


def run(arguments: Sequence[str]) -> None:
    """Run a command; `--traceback` shows where a database error came from."""
    try:
        execute_from_command_line(list(arguments))
    except KeyboardInterrupt:
        print("\nStopped. Nothing is lost: the same command goes on from here.", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except IntegrityError:
        raise  # a fault of ours, not of the database
    except DatabaseError as error:
        if "--traceback" in arguments:
            raise
        sys.exit(_sentence(error))


def _sentence(error: DatabaseError) -> str:
    said = " ".join(str(error).split())
    if isinstance(error, ProgrammingError) or "no such table" in said or "no such col" in said:
        return (
            f"The database lacks tables of this version ({said});"
            " run 'manage.py migrate' and try again."
        )
    if "locked" in said:
        return f"Another process has kept the database busy for too long ({said}); try again."
    return f"The database cannot be used: {said}. DATABASE_URL says where it is."
