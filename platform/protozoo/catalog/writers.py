"""Writes a catalog as FITS, VOTable and CSV; the same rows give the same bytes."""

import base64
import csv
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from protozoo.catalog.columns import TEXT, TRUTH, Column, Records

# Rows that are turned into text at once. A multiple of 57, the bytes of one line of base64.
CHUNK: Final = 57 * 200
VOTABLE_VERSION: Final = "1.4"
# The namespace has stayed the same since version 1.3.
VOTABLE_NAMESPACE: Final = "http://www.ivoa.net/xml/VOTable/v1.3"
_STREAM: Final = "@STREAM@"
_NOT_IN_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Fact:
    """One thing to know of a catalog, for headers."""

    name: str
    value: str


@dataclass(frozen=True)
class About:
    """What the headers of the files say."""

    name: str
    title: str
    version: str
    licence: str
    citation: str
    date: str
    facts: list[Fact] = field(default_factory=list)


def write_csv(path: Path, columns: Sequence[Column], records: Records) -> None:
    """Write RFC 4180: one line of names, then one for each row, ended by CR LF, in ASCII."""
    with path.open("w", encoding="ascii", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(column.name for column in columns)
        for start in range(0, len(records), CHUNK):
            chunk = records[start : start + CHUNK]
            texts = [_texts(column, chunk[column.name]) for column in columns]
            writer.writerows(zip(*texts, strict=True))


def _texts(column: Column, values: NDArray[Any]) -> list[str]:
    """Write numbers with as many digits as it takes to read the same number again."""
    if column.kind == TRUTH:
        values = np.where(values == b"T", "true", "false")
    texts: list[str] = values.astype(str).tolist()
    return texts


def write_fits(path: Path, columns: Sequence[Column], records: Records, about: About) -> None:
    """Write a primary header and a binary table with TUNIT, TCOMM and TUCD of each column."""
    table = fits.BinTableHDU.from_columns(
        [
            fits.Column(
                column.name,
                _fits_format(column),
                unit=column.unit or None,
                array=_fits_values(column, records[column.name]),
            )
            for column in columns
        ],
        nrows=len(records),
        name="CATALOG",
    )
    for number, column in enumerate(columns, start=1):
        _describe(table.header, number, column)
    table.header["RADESYS"] = ("ICRS", "frame of ra and dec")
    table.header["DATE"] = (about.date, "release")
    primary = fits.PrimaryHDU()
    _introduce(primary.header, about)
    primary.add_checksum(when=about.date)
    table.add_checksum(when=about.date)
    fits.HDUList([primary, table]).writeto(path, output_verify="exception")


def _fits_format(column: Column) -> str:
    if column.kind == TEXT:
        return f"{column.width}A"
    return _FITS_FORMATS[column.kind]


_FITS_FORMATS: Final = {">f8": "D", ">f4": "E", ">i8": "K", ">i4": "J", ">i2": "I", TRUTH: "L"}


def _fits_values(column: Column, values: Records) -> Records:
    return values == b"T" if column.kind == TRUTH else values


def _describe(header: fits.Header, number: int, column: Column) -> None:
    """Add what astropy does not write by itself."""
    header[f"TCOMM{number}"] = header_text(column.description)
    header[f"TUCD{number}"] = column.ucd


def _introduce(header: fits.Header, about: About) -> None:
    for key, value, comment in (
        ("TITLE", about.title, ""),
        ("VERSION", about.version, "of the catalog"),
        ("LICENSE", about.licence, ""),
        ("CITATION", about.citation, ""),
        ("ORIGIN", "ProtoZoo", ""),
        ("DATE", about.date, "release"),
        ("RADESYS", "ICRS", ""),
    ):
        header[key] = (header_text(value), comment)
    for fact in about.facts:
        header.add_history(header_text(f"{fact.name}: {fact.value}"))


def header_text(text: str) -> str:
    """Put text into the printable ASCII of a FITS header: accents go, the rest becomes '?'."""
    plain = "".join(
        letter
        for letter in unicodedata.normalize("NFKD", " ".join(text.split()))
        if not unicodedata.combining(letter)
    )
    return "".join(letter if " " <= letter <= "~" else "?" for letter in plain)


def write_votable(path: Path, columns: Sequence[Column], records: Records, about: About) -> None:
    """Write a VOTable whose rows are BINARY2: the records, each behind its (empty) null flags."""
    head, _, tail = _votable_frame(columns, len(records), about).rpartition(_STREAM)
    n_flags = (len(columns) + 7) // 8
    with path.open("wb") as file:
        file.write(head.encode())
        for start in range(0, len(records), CHUNK):
            chunk = records[start : start + CHUNK]
            rows = np.zeros((len(chunk), n_flags + records.itemsize), np.uint8)
            rows[:, n_flags:] = chunk.view(np.uint8).reshape(len(chunk), records.itemsize)
            file.write(base64.encodebytes(rows.tobytes()))
        file.write(tail.encode())


def _votable_frame(columns: Sequence[Column], n_rows: int, about: About) -> str:
    """Write the document with a mark in place of the stream of rows."""
    root = ET.Element("VOTABLE", version=VOTABLE_VERSION, xmlns=VOTABLE_NAMESPACE)
    title = " ".join(about.title.split())
    _child(root, "DESCRIPTION", title)
    resource = _child(root, "RESOURCE", name=about.name, type="results")
    for fact in (
        Fact("QUERY_STATUS", "OK"),
        Fact("version", about.version),
        Fact("licence", about.licence),
        Fact("citation", about.citation),
        Fact("date", about.date),
        *about.facts,
    ):
        _child(resource, "INFO", name=fact.name, value=fact.value)
    _child(resource, "COOSYS", ID="icrs", system="ICRS")
    table = _child(resource, "TABLE", ID="catalog", name="catalog", nrows=str(n_rows))
    _child(table, "DESCRIPTION", title)
    for column in columns:
        _child(_child(table, "FIELD", **_field(column)), "DESCRIPTION", column.description)
    binary = _child(_child(table, "DATA"), "BINARY2")
    _child(binary, "STREAM", f"\n{_STREAM}", encoding="base64")
    ET.indent(root)
    return f"<?xml version='1.0' encoding='utf-8'?>\n{ET.tostring(root, encoding='unicode')}\n"


def _child(parent: ET.Element, tag: str, text: str = "", **attributes: str) -> ET.Element:
    child = ET.SubElement(parent, tag, {name: _xml(value) for name, value in attributes.items()})
    child.text = _xml(text) or None
    return child


def _xml(text: str) -> str:
    """Replace the few characters that no XML document may hold."""
    return _NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def _field(column: Column) -> dict[str, str]:
    attributes = {
        "ID": column.name,
        "name": column.name,
        "ucd": column.ucd,
        "datatype": column.votable_type,
    }
    if column.kind == TEXT:
        attributes["arraysize"] = str(column.width)
    if column.unit:
        attributes["unit"] = column.unit
    if column.name in {"ra", "dec"}:
        attributes["ref"] = "icrs"
    return attributes
