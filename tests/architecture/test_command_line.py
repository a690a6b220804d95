"""A command that cannot use its database says so in one sentence."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import DatabaseError, OperationalError, ProgrammingError

from protozoo.config import command_line

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OperationalError("no such table: surveys_survey"), "run 'manage.py migrate'"),
        (ProgrammingError('relation "surveys_survey" does not exist'), "run 'manage.py migrate'"),
        (OperationalError("database is locked"), "kept the database busy for too long"),
        (OperationalError('database "zoo" does not exist'), "DATABASE_URL says where it is"),
        (DatabaseError("file is not a database"), "DATABASE_URL says where it is"),
    ],
)
def test_a_database_error_becomes_a_sentence(monkeypatch, error, said):
    def fails(arguments):
        raise error

    monkeypatch.setattr(command_line, "execute_from_command_line", fails)
    with pytest.raises(SystemExit, match=said):
        command_line.run(["manage.py", "sort", "first"])
    with pytest.raises(type(error)):
        command_line.run(["manage.py", "sort", "first", "--traceback"])


def test_an_interrupt_ends_a_command_quietly(monkeypatch, capsys):
    def interrupted(arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(command_line, "execute_from_command_line", interrupted)
    with pytest.raises(SystemExit) as stopped:
        command_line.run(["manage.py", "sort", "first"])
    assert stopped.value.code == 130
    assert capsys.readouterr().err.strip().startswith("Stopped. Nothing is lost")


def test_a_new_site_asks_for_its_tables(tmp_path):
    environment = {**os.environ, "STORAGE_FOLDER": str(tmp_path), "DATABASE_URL": ""}
    done = subprocess.run(
        [sys.executable, "manage.py", "sort", "first"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("The database lacks tables of this version")
    assert done.stderr.count("\n") == 1
