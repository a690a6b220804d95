"""IVOA Simple Cone Search 1.03 over a release: one VOTable, whatever was asked.

The standard (Williams et al. 2008, https://www.ivoa.net/documents/latest/ConeSearch.html) asks for
decimal degrees, for the UCD1 words ID_MAIN, POS_EQ_RA_MAIN and POS_EQ_DEC_MAIN, and for a VOTable
with an INFO named Error when something is wrong. VOTable 1.1 is the newest version that knows UCD1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

import numpy as np
from astropy.io.votable.tree import CooSys, Info, Resource, TableElement, VOTableFile
from astropy.io.votable.tree import Field as VOField

from protozoo.catalog.columns import (
    TEXT,
    TRUTH,
    Column,
    ascii_text,
    columns_of,
    to_records,
)
from protozoo.catalog.exceptions import ConeSearchError
from protozoo.catalog.models import Entry, Release
from protozoo.catalog.selectors import entries_near
from protozoo.exceptions import ProtoZooError
from protozoo.sky.selectors import Cone

CONTENT_TYPE: Final = "application/x-votable+xml"
MAX_ROWS: Final = 10_000
UCD1: Final = {"id": "ID_MAIN", "ra": "POS_EQ_RA_MAIN", "dec": "POS_EQ_DEC_MAIN"}


@dataclass(frozen=True)
class ConeSearch:
    """What a client asks for; a radius of zero asks for the columns alone."""

    cone: Cone
    n_rows: int

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> "ConeSearch":
        """Read RA, DEC, SR and MAXREC; their case does not matter."""
        asked = {name.upper(): value for name, value in query.items()}
        cone = Cone.of(*(_number(asked, name) for name in ("RA", "DEC", "SR")))
        n_rows = _number({"MAXREC": str(MAX_ROWS), **asked}, "MAXREC")
        if n_rows < 0 or n_rows != int(n_rows):
            raise ConeSearchError(f"MAXREC must be a whole number from 0, got {asked['MAXREC']}.")
        return cls(cone, 0 if cone.radius_deg == 0 else int(min(n_rows, MAX_ROWS)))


def _number(asked: Mapping[str, str], name: str) -> float:
    try:
        value = float(asked[name])
    except KeyError as error:
        raise ConeSearchError(
            f"{name} is missing; a cone search needs RA, DEC and SR in decimal degrees."
        ) from error
    except ValueError as error:
        raise ConeSearchError(f"{name} must be a number, got {asked[name]!r}.") from error
    if not np.isfinite(value):
        raise ConeSearchError(f"{name} must be a finite number, got {asked[name]!r}.")
    return value


def cone_search(release: Release, query: Mapping[str, str]) -> bytes:
    """Answer a cone search, nearest rows first."""
    try:
        search = ConeSearch.parse(query)
    except ProtoZooError as error:
        return error_document(str(error))
    found: list[Entry] = []
    if search.n_rows:  # one more than asked for tells whether there are more
        found = entries_near(release, search.cone, search.n_rows + 1)
    return _document(release, found[: search.n_rows], is_cut=len(found) > search.n_rows)


def error_document(message: str) -> bytes:
    """Say in a VOTable what was wrong."""
    document = VOTableFile(version="1.1")
    resource = Resource(type="results")
    resource.infos.append(Info(ID="Error", name="Error", value=message))
    document.resources.append(resource)
    return _xml(document)


def _document(release: Release, entries: Sequence[Entry], *, is_cut: bool) -> bytes:
    classes = release.run.classes
    document = VOTableFile(version="1.1")
    document.description = str(release)
    document.coordinate_systems.append(CooSys(ID="icrs", system="ICRS"))
    resource = Resource(name=f"{release.campaign.slug}-v{release.version}", type="results")
    status = "OVERFLOW" if is_cut else "OK"
    resource.infos.append(Info(ID="QUERY_STATUS", name="QUERY_STATUS", value=status))
    document.resources.append(resource)
    table = TableElement(document, name="catalog")
    resource.tables.append(table)
    columns = columns_of(
        classes,
        id_width=max((len(ascii_text(entry.identifier)) for entry in entries), default=1),
        label_width=max((len(ascii_text(entry.label)) for entry in entries), default=1),
    )
    for column in columns:
        table.fields.append(_field(document, column))
    table.create_arrays(len(entries))
    if entries:
        _fill(table, columns, to_records(entries, classes, columns))
    return _xml(document)


def _field(document: VOTableFile, column: Column) -> VOField:
    field = VOField(
        document,
        ID=column.name,
        name=column.name,
        ucd=UCD1.get(column.name, column.ucd),
        datatype=column.votable_type,
        arraysize=str(column.width) if column.kind == TEXT else None,
        unit=column.unit or None,
        ref="icrs" if column.name in {"ra", "dec"} else None,
    )
    field.description = column.description
    return field


def _fill(table: TableElement, columns: Sequence[Column], records: Any) -> None:
    for column in columns:
        values = records[column.name]
        if column.kind == TEXT:
            values = values.astype(str).astype(object)
        table.array[column.name] = values == b"T" if column.kind == TRUTH else values


def _xml(document: VOTableFile) -> bytes:
    buffer = BytesIO()
    document.to_xml(buffer)
    return buffer.getvalue()
