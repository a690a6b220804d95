"""Runs management commands and says in one sentence what is wrong with the database."""

import sys
from collections.abc import Sequence

from django.core.management import execute_from_command_line
from django.db import DatabaseError, IntegrityError, ProgrammingError


def run(arguments: Sequence[str]) -> None:
    """Run a command; `--traceback` shows where a database error came from."""
    try:
        execute_from_command_line(list(arguments))
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
