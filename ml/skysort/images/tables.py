"""Reads source tables of any usual kind and finds the columns that matter.

Values of CSV files are read as text first: an id of 00123 keeps its zeros, and a broken position
costs one row, not the table.
"""

import csv
import gzip
import io
import re
import warnings
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from astropy import units as u
from astropy.table import Table
from numpy.typing import NDArray

from skysort.errors import InputError
from skysort.images.fits_image import DAMAGE
from skysort.zooniverse.subjects import bare_name, names_of_file

__all__ = ["FILE_NAMES", "SourceTable", "read_table"]

FloatArray = NDArray[np.float64]

#: Names that columns usually have, without case, best first.
ID_NAMES: Final = (
    "id", "source_id", "sourceid", "source_name", "subject_id", "objid", "obj_id", "object_id",
    "objectid", "objname", "name", "iau_name", "iauname", "designation", "identifier",
    "component_name", "main_id", "catalog_id", "cutout_id", "source", "object",
)  # fmt: skip
#: Of columns that name the picture of each row; where there are no ids, it is the id, too.
FILE_NAMES: Final = (
    "file", "filename", "file_name", "image", "path", "cutout", "image_name", "image1", "image_1",
    "image 1",
)  # fmt: skip
RA_NAMES: Final = (
    "ra", "ra_deg", "radeg", "_raj2000", "ra_icrs", "raj2000", "ra_j2000", "ra2000", "_ra",
    "ra_d", "s_ra", "right_ascension", "alpha_j2000", "alphawin_j2000", "alpha",
)  # fmt: skip
DEC_NAMES: Final = (
    "dec", "dec_deg", "decdeg", "_dej2000", "_decj2000", "de_icrs", "dec_icrs", "dej2000",
    "decj2000", "de_j2000", "dec_j2000", "dec2000", "_dec", "_de", "de", "dec_d", "s_dec",
    "declination", "delta_j2000", "deltawin_j2000", "delta",
)  # fmt: skip

MAX_BYTES: Final = 2**31  # of an unpacked CSV file
SEPARATORS: Final = (",", "\t", ";", "|")
LEADING_COMMENTS: Final = re.compile(r"\A(?:[ \t]*(?:#[^\r\n]*)?\r?\n)*")
INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
NUMBER: Final = re.compile(
    r"[-+]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?|(?i:[-+]?inf|nan)"
)
MAX_SEXAGESIMAL: Final = 40  # characters
SEXAGESIMAL: Final = re.compile(
    r"(?P<sign>[-+\u2212]?)\s*(?P<whole>\d{1,3})\s*(?P<mark>[\s:hd\u00b0])\s*(?P<minutes>\d{1,2})"
    r"(?:\s*[\s:m'\u2032]\s*(?P<seconds>\d{1,2}(?:\.\d*)?)\s*[s\"\u2033]?)?\s*[m'\u2032]?"
)


@dataclass(frozen=True, eq=False)
class SourceTable:
    """A table of sources, row by row as in its file; duplicates stay.

    Attributes
    ----------
    ids : list of str
        Empty where the table has none.
    ra_deg, dec_deg : ndarray, float64, (n,)
        ICRS or J2000 as the table has it; NaN where the value is missing, no number, or a right
        ascension outside -180 to 360 degrees. Negative right ascensions get 360 added.
    extra : list of dict
        The other columns of each row as JSON values; None where masked, empty or NaN.
    units : dict
        Unit of each column that has one, as text.
    row_numbers : ndarray, int64, (n,)
        1 is the first row of data, below the header.
    """

    ids: list[str]
    ra_deg: FloatArray
    dec_deg: FloatArray
    extra: list[dict[str, Any]]
    units: dict[str, str]
    row_numbers: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class _Columns:
    """Columns as lists of JSON values."""

    values: dict[str, list[Any]]
    units: dict[str, str]


def read_table(path: Path | str, *, id_column: str | None = None) -> SourceTable:
    """Read a source table.

    Parameters
    ----------
    path : path
        CSV (also with tabs, semicolons or bars, also gzipped), ECSV, FITS or VOTable; the content
        decides, not the suffix. A subject manifest of Zooniverse is one, too: "#", "//" and "!"
        before the names of its columns are left out.
    id_column : str, optional
        The column that names the sources; by default one with a usual name.

    Returns
    -------
    SourceTable
        Positions may be degrees, radians or hours (by the column's unit), or sexagesimal text;
        such a right ascension is in hours unless it is written with a "d" or a degree sign.

    Raises
    ------
    InputError
        Naming the file, and the columns found where one is missing.
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        raise InputError(f"{path} cannot be read: it is no file")
    columns = _read(path, id_column)
    names = list(columns.values)
    chosen_id = _find_id(path, names, id_column)
    chosen_ra = _find(path, names, RA_NAMES, "the right ascension")
    chosen_dec = _find(path, names, DEC_NAMES, "the declination")
    n_rows = len(columns.values[chosen_id])
    if n_rows == 0:
        raise InputError(f"{path} has a header but no rows")
    is_file = id_column is None and chosen_id.lower() in FILE_NAMES
    taken = {chosen_ra, chosen_dec} | (set() if is_file else {chosen_id})
    others = [name for name in names if name not in taken]
    ra_deg = _degrees(columns, chosen_ra, is_ra=True)
    with np.errstate(invalid="ignore"):
        ra_deg[(ra_deg < -180) | (ra_deg > 360)] = np.nan
    return SourceTable(
        ids=[_identifier(value, is_file=is_file) for value in columns.values[chosen_id]],
        ra_deg=ra_deg % 360.0,
        dec_deg=_degrees(columns, chosen_dec, is_ra=False),
        extra=[{name: columns.values[name][row] for name in others} for row in range(n_rows)],
        units=columns.units,
        row_numbers=np.arange(1, n_rows + 1),
    )


def _find_id(path: Path, names: Sequence[str], id_column: str | None) -> str:
    """Find the column of the ids; if there is none, that of the pictures."""
    if id_column is not None:
        return _find(path, names, (id_column,), "the id")
    has_id = any(name.lower() in ID_NAMES for name in names)
    of_files = [name for wanted in FILE_NAMES for name in names if name.lower() == wanted]
    return of_files[0] if of_files and not has_id else _find(path, names, ID_NAMES, "the id")


def _find(path: Path, names: Sequence[str], wanted: Sequence[str], what: str) -> str:
    for name in wanted:
        for found in (name, *(other for other in names if other.lower() == name.lower())):
            if found in names:
                return found
    said = "usual names are " if len(wanted) > 1 else "wanted is "
    raise InputError(
        f"{path} has no column for {what}; {said}{', '.join(wanted[:6])}; "
        f"its columns are {', '.join(names) or 'none'}"
    )


def _read(path: Path, id_column: str | None) -> _Columns:
    try:
        with path.open("rb") as file:
            start = file.read(4096)
        if start[:2] == b"\x1f\x8b":
            with gzip.open(path) as file:
                start = file.read(4096)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith(b"SIMPLE  ="):
        return _read_astropy(path, "fits")
    if text.startswith(b"<") and b"VOTABLE" in text.upper():
        return _read_astropy(path, "votable")
    if text.startswith(b"# %ECSV"):
        return _read_astropy(path, "ascii.ecsv")
    return _read_csv(path, text_columns=ID_NAMES if id_column is None else (id_column,))


def _read_astropy(path: Path, kind: str) -> _Columns:
    options: dict[str, Any] = {"use_names_over_ids": True} if kind == "votable" else {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.filterwarnings("error", message=".*truncated.*")
            table = Table.read(path, format=kind, **options)
            values = {name: _json_list(table[name]) for name in table.colnames}
    except (*DAMAGE, Warning) as error:
        said = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{path} is no readable table: {said}") from error
    units = {
        name: str(table[name].unit)
        for name in table.colnames
        if getattr(table[name], "unit", None) is not None and str(table[name].unit)
    }
    return _Columns(values, units)


def _json_list(column: Any) -> list[Any]:
    """Turn a column of any kind into JSON values, one per row."""
    if not hasattr(column, "dtype") or not hasattr(column, "tolist"):  # times and the like
        return [str(value) for value in column]
    if hasattr(column, "filled") and column.dtype.kind != "O":
        masked = np.ma.array(column.data, mask=column.mask)
        return [_json_value(value) for value in masked.tolist()]
    return [_json_value(value) for value in np.asarray(column).tolist()]


def _json_value(value: Any) -> Any:
    if value is None or value is np.ma.masked:
        return None
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    if isinstance(value, bytes):
        return _json_value(value.decode("utf-8", "replace"))
    if isinstance(value, str):
        return value.replace("\0", "").strip()  # PostgreSQL stores no NUL
    if isinstance(value, np.ndarray | list | tuple):
        return [_json_value(one) for one in (value.tolist() if hasattr(value, "tolist") else value)]
    if isinstance(value, np.generic):
        return _json_value(value.item())
    return value if isinstance(value, int | bool) else str(value)


def _read_csv(path: Path, *, text_columns: Sequence[str]) -> _Columns:
    text = _without_comments(_text(path))
    first_line = text.partition("\n")[0]
    delimiter = max(SEPARATORS, key=first_line.count)  # a comma if there is none
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        rows = [row for row in reader if any(value.strip() for value in row)]
    except csv.Error as error:
        raise InputError(
            f"{path} is no readable CSV table; line {reader.line_num}: {error}"
        ) from error
    if not rows:
        raise InputError(f"{path} is empty")
    header = _header(rows[0])
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise InputError(f"{path} has several columns named {', '.join(map(repr, repeated))}")
    return _Columns(_csv_columns(path, header, rows[1:], text_columns), {})


def _without_comments(text: str) -> str:
    """Leave out lines of comment above the table, but for a header that begins like one."""
    rest = LEADING_COMMENTS.sub("", text, count=1)
    comments = text[: len(text) - len(rest)].splitlines(keepends=True)
    last = next((line for line in reversed(comments) if line.strip()), "")
    is_header = _has_position(last) and not _has_position(rest.partition("\n")[0])
    return last + rest if is_header else rest


def _has_position(line: str) -> bool:
    cells = re.split(f"[{re.escape(''.join(SEPARATORS))}]", line)
    return any(bare_name(cell).strip('"').lower() in RA_NAMES for cell in cells)


def _header(names: Sequence[str]) -> list[str]:
    """Strip what a manifest hides columns by, unless another column has the name already."""
    plain = [name.strip() for name in names]
    bare = [bare_name(name) for name in plain]
    return [
        short if short and (short == name or bare.count(short) == 1) else name
        for name, short in zip(plain, bare, strict=True)
    ]


def _text(path: Path) -> str:
    """Read a text file, gzipped or not."""
    try:
        raw = path.read_bytes()
        if raw[:2] == b"\x1f\x8b":
            with gzip.open(io.BytesIO(raw)) as packed:
                raw = packed.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise InputError(f"{path} is longer than {MAX_BYTES} bytes")
        text = raw.decode("utf-8-sig")
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is neither a table that is known nor UTF-8 text") from error
    if "\0" in text:
        raise InputError(f"{path} is neither a table that is known nor plain text")
    return text


def _csv_columns(
    path: Path, header: list[str], rows: list[list[str]], text_columns: Sequence[str]
) -> dict[str, list[Any]]:
    for number, row in enumerate(rows, start=1):
        if len(row) > len(header):
            raise InputError(
                f"{path}, row {number}, has {len(row)} values, but there are {len(header)} columns"
            )
        row.extend([""] * (len(header) - len(row)))
    texts = {name: [row[place].strip() for row in rows] for place, name in enumerate(header)}
    keep = {name.lower() for name in text_columns}
    return {
        name: values if name.lower() in keep else _typed(values) for name, values in texts.items()
    }


def _typed(texts: list[str]) -> list[Any]:
    """Make numbers of a column if all its values are numbers; 007 is not one."""
    said = [text for text in texts if text]
    if all(INTEGER.fullmatch(text) for text in said):
        return [int(text) if text else None for text in texts]
    if all(NUMBER.fullmatch(text) for text in said):
        return [_json_value(float(text)) if text else None for text in texts]
    return [text or None for text in texts]


def _identifier(value: Any, *, is_file: bool) -> str:
    if is_file:
        return names_of_file(str(value or ""))[-1]
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)


def _degrees(columns: _Columns, name: str, *, is_ra: bool) -> FloatArray:
    values = columns.values[name]
    factor = _degrees_per_unit(columns.units.get(name, ""))
    return np.array([_degree(value, factor, is_ra=is_ra) for value in values], dtype=np.float64)


def _degrees_per_unit(unit: str) -> float:
    """Scale numbers by their unit; one that is no angle, as "h:m:s" for text, changes nothing."""
    known = u.Unit(unit.strip("'\" "), parse_strict="silent") if unit else u.deg
    if known == u.hour:
        known = u.hourangle
    return float(known.to(u.deg)) if known.is_equivalent(u.deg) else 1.0


def _degree(value: Any, factor: float, *, is_ra: bool) -> float:
    if isinstance(value, int | float):
        return value * factor
    text = str(value or "").strip()
    try:
        number = float(text.replace("_", "?"))  # Python reads 1_0 as 10
    except ValueError:
        return _sexagesimal(text, is_ra=is_ra)
    return number * factor if np.isfinite(number) else np.nan


def _sexagesimal(text: str, *, is_ra: bool) -> float:
    matched = SEXAGESIMAL.fullmatch(text) if len(text) <= MAX_SEXAGESIMAL else None
    if matched is None:
        return np.nan
    minutes, seconds = float(matched["minutes"]), float(matched["seconds"] or 0)
    if minutes >= 60 or seconds > 60:
        return np.nan
    angle = float(matched["whole"]) + minutes / 60.0 + seconds / 3600.0
    if matched["mark"] == "h" or (is_ra and matched["mark"] not in "d\u00b0"):
        angle *= 15.0
    return -angle if matched["sign"] in ("-", "\u2212") else angle
