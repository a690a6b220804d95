"""Writes files whole or not at all, so that nobody mistakes half a file for a result."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

__all__ = ["write_whole"]


@contextmanager
def write_whole(path: Path | str) -> Iterator[BinaryIO]:
    """Open a file for writing that takes its name only when all of it is on the disk.

    Parameters
    ----------
    path : path
        Its folder must exist; a file of this name is replaced at the end, and stays as it is
        after an error.

    Yields
    ------
    file
        Binary, empty.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with write_whole(Path(folder) / "counts.bin") as file:
    ...         _ = file.write(b"12")
    ...     [(kept.name, kept.read_bytes()) for kept in Path(folder).iterdir()]
    [('counts.bin', b'12')]
    """
    target = Path(path)
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
