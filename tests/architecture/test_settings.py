"""Settings come from the environment, are documented, and are checked."""

import ast
import re
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from protozoo.config import environment

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def no_problems(monkeypatch):
    monkeypatch.setattr(environment, "PROBLEMS", [])


def variables_read() -> set[str]:
    source = (ROOT / "platform/protozoo/config/environment.py").read_text()
    settings = (ROOT / "platform/protozoo/config/settings.py").read_text()
    read = set(re.findall(r'(?:os\.environ\.get|names)\("([A-Z_]+)"', source))
    return read | set(re.findall(r'environment\.(?:boolean|names)\("([A-Z_]+)"', settings))


def test_every_variable_that_is_read_is_declared():
    assert variables_read() == {variable.name for variable in environment.VARIABLES}


def test_every_variable_is_documented():
    text = (ROOT / "README.md").read_text() + (ROOT / "ARCHITECTURE.md").read_text()
    missing = [v.name for v in environment.VARIABLES if f"`{v.name}`" not in text]
    assert missing == []


def test_nothing_else_reads_the_environment():
    readers = set()
    for path in (ROOT / "platform" / "protozoo").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr == "environ":
                readers.add(path.relative_to(ROOT / "platform" / "protozoo").as_posix())
    assert readers <= {
        "config/environment.py",
        "config/wsgi.py",
        "pipeline/management/commands/demo.py",
        "jobs/management/commands/worker.py",
    }


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("DEBUG", "maybe", lambda: environment.boolean("DEBUG", default=False)),
        ("DATABASE_URL", "mongodb://x/y", lambda: environment.database(Path("/tmp"))),
        ("DATABASE_URL", "nonsense", lambda: environment.database(Path("/tmp"))),
        ("REDIS_URL", "http://x", lambda: environment.redis_url("unix:///tmp/x")),
        ("SECRET_KEY", "short", lambda: environment.secret_key(Path("/tmp"))),
        (
            "DATABASE_URL",
            "postgresql://u:secret@h:abc/x",
            lambda: environment.database(Path("/tmp")),
        ),
        (
            "DATABASE_URL",
            "postgresql://u:secret@h:99999/x",
            lambda: environment.database(Path("/")),
        ),
        ("DATABASE_URL", "sqlite:////tmp", lambda: environment.database(Path("/tmp"))),
        ("DATABASE_URL", "sqlite:////no/such/folder/x", lambda: environment.database(Path("/tmp"))),
        ("DATABASE_URL", "sqlite://", lambda: environment.database(Path("/tmp"))),
        ("REDIS_URL", "redis://:secret@h:abc/0", lambda: environment.redis_url("unix:///tmp/x")),
        ("ALLOWED_HOSTS", "", environment.hosts),
        ("ALLOWED_HOSTS", "https://zoo.example.org", environment.hosts),
        ("ALLOWED_HOSTS", "zoo.example.org:8000", environment.hosts),
        ("EMAIL_URL", "gopher://h", environment.mail),
        ("EMAIL_URL", "smtp://u:secret@h:abc", environment.mail),
        ("LOG_LEVEL", "loud", environment.log_level),
        ("NEW_VOLUNTEERS_PER_HOUR", "many", environment.new_volunteers_per_hour),
        ("VOTES_PER_MINUTE", "-1", environment.votes_per_minute),
        ("PROXIES", "1.5", environment.proxies),
        ("STORAGE_FOLDER", "/proc/none", environment.storage_folder),
    ],
)
def test_a_wrong_value_is_a_system_check_with_a_hint(monkeypatch, name, value, read):
    monkeypatch.setenv(name, value)
    read()
    assert [problem.variable for problem in environment.PROBLEMS] == [name]
    with pytest.raises(SystemCheckError, match=re.escape(environment.PROBLEMS[0].message)):
        call_command("check")
    assert environment.PROBLEMS[0].hint
    assert "secret@" not in environment.PROBLEMS[0].message


def test_no_key_is_left_in_a_folder_that_was_not_asked_for(monkeypatch, tmp_path):
    monkeypatch.delenv("SECRET_KEY", raising=False)
    environment._problem("STORAGE_FOLDER", "It is read-only.", "Make it writable.")
    assert len(environment.secret_key(tmp_path)) >= 50
    assert not (tmp_path / "secret_key").exists()


def test_mail_goes_to_the_server_that_is_named(monkeypatch):
    monkeypatch.setenv("EMAIL_URL", "smtp+tls://zoo:secret%40@mail.example.org:587")
    monkeypatch.setenv("EMAIL_FROM", "zoo@example.org")
    mail = environment.mail()
    assert mail["EMAIL_BACKEND"].endswith("smtp.EmailBackend")
    assert (mail["EMAIL_HOST"], mail["EMAIL_PORT"]) == ("mail.example.org", 587)
    assert (mail["EMAIL_HOST_USER"], mail["EMAIL_HOST_PASSWORD"]) == ("zoo", "secret@")
    assert mail["EMAIL_USE_TLS"]
    assert mail["DEFAULT_FROM_EMAIL"] == "zoo@example.org"


def test_without_a_server_mail_is_printed(monkeypatch):
    monkeypatch.delenv("EMAIL_URL", raising=False)
    assert environment.mail()["EMAIL_BACKEND"].endswith("console.EmailBackend")


def test_sqlite_is_set_up_for_many_writers(monkeypatch, tmp_path):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    options = environment.database(tmp_path)["OPTIONS"]
    assert options["transaction_mode"] == "IMMEDIATE"
    assert options["timeout"] == 20
    assert "journal_mode=WAL" in options["init_command"]


@pytest.mark.parametrize(
    ("asked", "options"),
    [
        ("", {"options": "-c jit=off"}),
        ("?sslmode=require", {"sslmode": "require", "options": "-c jit=off"}),
        # What a site says itself comes later and counts.
        ("?options=-c%20jit=on", {"options": "-c jit=off -c jit=on"}),
    ],
)
def test_postgresql_compiles_no_queries(monkeypatch, tmp_path, asked, options):
    monkeypatch.setenv("DATABASE_URL", f"postgresql://u:p@h:5432/zoo{asked}")
    assert environment.database(tmp_path)["OPTIONS"] == options


def test_the_secret_key_is_made_once_and_kept_private(monkeypatch, tmp_path):
    monkeypatch.delenv("SECRET_KEY", raising=False)
    first = environment.secret_key(tmp_path)
    assert len(first) >= 50
    assert environment.secret_key(tmp_path) == first
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0


def test_a_deep_storage_folder_still_gets_a_socket(tmp_path):
    deep = tmp_path / ("d" * 100)
    assert len(str(environment.valkey_socket(deep))) <= environment.SOCKET_PATH_LIMIT


@pytest.mark.parametrize(("https", "expected"), [("true", 1), ("false", 0)])
def test_a_site_with_https_stands_behind_a_proxy_unless_it_is_told_otherwise(
    monkeypatch, https, expected
):
    monkeypatch.setenv("HTTPS", https)
    monkeypatch.delenv("PROXIES", raising=False)
    assert environment.proxies() == expected
    monkeypatch.setenv("PROXIES", "2")
    assert environment.proxies() == 2
