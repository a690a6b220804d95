"""What every test may ask for."""

import os
from importlib import import_module
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.db import connections
from django.utils import translation


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings, tmp_path_factory) -> None:
    """Keep SQLite's test database in a file, as a site does.

    Threads of a live site that share one in memory are refused at once, instead of waiting.
    """
    database = connections["default"].settings_dict
    if database["ENGINE"].endswith("sqlite3"):
        database["TEST"]["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")


@pytest.fixture(scope="session")
def real_data() -> Path:
    folder = os.environ.get("PROTOZOO_REAL_DATA")
    if not folder:
        pytest.skip("PROTOZOO_REAL_DATA is not set")
    path = Path(folder)
    assert path.is_dir(), f"PROTOZOO_REAL_DATA names {folder}, which is no folder"
    return path.resolve()


@pytest.fixture(autouse=True)
def storage(tmp_path: Path, settings) -> Path:
    """Give every test a storage folder of its own."""
    settings.STORAGE_FOLDER = tmp_path / "storage"
    settings.STORAGE_FOLDER.mkdir()
    settings.VALKEY_SOCKET = settings.STORAGE_FOLDER / "valkey.sock"
    settings.REDIS_URL = f"unix://{settings.VALKEY_SOCKET}"
    return settings.STORAGE_FOLDER


@pytest.fixture(autouse=True)
def language() -> None:
    """Forget the language that an earlier test's request has left in this thread."""
    translation.deactivate()


@pytest.fixture(autouse=True)
def roles(request) -> None:
    """Make the roles again that a test with a flushed database took away: any order will do."""
    if request.node.get_closest_marker("django_db") and not Group.objects.exists():
        import_module("protozoo.accounts.migrations.0002_roles").make_roles(apps, None)
