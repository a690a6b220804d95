"""Metadata of Zooniverse subjects: how a subject is found again in a survey."""

import re
from pathlib import PurePosixPath
from typing import Any, Final

__all__ = ["bare_name", "metadata_value", "names_of_file"]

#: Prefixes that hide a column of a manifest from volunteers, or show it in Talk alone.
HIDDEN: Final = re.compile(r"^(?:#|//|!)+\s*")


def bare_name(name: str) -> str:
    """Strip what hides a column of a manifest.

    Examples
    --------
    >>> [bare_name(name) for name in ("#truth", "//note", "!RA", "filename")]
    ['truth', 'note', 'RA', 'filename']
    """
    return HIDDEN.sub("", name.strip()).strip()


def metadata_value(metadata: dict[str, Any], column: str) -> str:
    """Find a value by the name of its column, whatever its prefix and letter case; "" if none.

    Examples
    --------
    >>> metadata_value({"retired": None, "#Filename": "a.png"}, "filename")
    'a.png'
    """
    wanted = bare_name(column).casefold()
    for name, value in metadata.items():
        is_value = isinstance(value, str | int | float) and not isinstance(value, bool)
        if is_value and bare_name(name).casefold() == wanted:
            return str(value).strip()
    return ""


def names_of_file(value: str) -> list[str]:
    """Give what a file may be called: as it stands, without its folders, without its suffix.

    Examples
    --------
    >>> names_of_file("cutouts/J1.fits")
    ['cutouts/J1.fits', 'J1.fits', 'J1']
    """
    name = PurePosixPath(value.replace("\\", "/")).name
    stem = name.rsplit(".", 1)[0] if "." in name[1:] else name
    return list(dict.fromkeys([value, name, stem]))
