"""What tests of voting share."""

import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import connection, connections
from django.utils import timezone


@pytest.fixture
def busy_database(transactional_db, tmp_path: Path) -> Iterator[None]:
    """Let threads meet on a database as sites have it.

    An SQLite database in memory has no queue of writers, unlike one in a file; so the tables move
    into a file for the time of the test.
    """
    memory = connections["default"]
    if memory.vendor != "sqlite" or not memory.is_in_memory_db():
        yield
        return
    path = tmp_path / "busy.sqlite3"
    with memory.cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [str(path)])
    former = connections.settings["default"]
    connections.settings["default"] = {**former, "NAME": str(path)}
    connections["default"] = connections.create_connection("default")
    yield
    connections["default"].close()
    connections.settings["default"] = former
    connections["default"] = memory


@pytest.fixture
def all_at_once(busy_database) -> Callable[[list[Callable[[], object]]], list[object]]:
    """Run calls in threads that start together; give their results in order."""

    def run(calls):
        barrier = threading.Barrier(len(calls), timeout=20)

        def one(call):
            try:
                barrier.wait()
                return call()
            finally:
                connection.close()

        with ThreadPoolExecutor(len(calls)) as pool:
            return [each.result(timeout=60) for each in [pool.submit(one, c) for c in calls]]

    return run


@pytest.fixture
def ballot() -> Callable[..., dict]:
    """Make the body of a vote on an item."""

    def make(item, /, **fields):
        return {
            "client_uuid": str(uuid.uuid4()),
            "item": getattr(item, "pk", item),
            "question_version": 1,
            "path": ["frii"],
            "seconds": 3.5,
            "answered_at": timezone.now().isoformat(),
            **fields,
        }

    return make
