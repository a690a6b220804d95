"""The columns of a catalog: name, type, unit, meaning and UCD, and a release's rows in them.

Rows are held as one big-endian record each, exactly as FITS and VOTable's BINARY2 store them;
truth is b"T" or b"F", text is printable ASCII (see `ascii_text`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from protozoo.catalog.models import Entry, Release

Records: TypeAlias = NDArray[np.void]

TEXT: Final = "S"
TRUTH: Final = "?"
_VOTABLE_TYPES: Final = {
    TEXT: "char",
    TRUTH: "boolean",
    ">f8": "double",
    ">f4": "float",
    ">i8": "long",
    ">i4": "int",
    ">i2": "short",
}
# Rows that are read from the database at once.
BATCH_SIZE: Final = 10_000
# What FITS allows in text; '%' itself is written as %25, so that nothing is ambiguous.
_PLAIN: Final = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != "%")


@dataclass(frozen=True)
class Column:
    """One column; `kind` is a big-endian NumPy type, TEXT or TRUTH, `width` that of a text."""

    name: str
    kind: str
    unit: str
    ucd: str
    description: str
    width: int = 1

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(f"S{self.width}" if self.kind in {TEXT, TRUTH} else self.kind)

    @property
    def votable_type(self) -> str:
        return _VOTABLE_TYPES[self.kind]


def columns_of(classes: Sequence[str], *, id_width: int, label_width: int) -> list[Column]:
    """List the columns of a catalog with these classes, in their order."""
    return [
        Column("id", TEXT, "", "meta.id;meta.main", "Name of the source in its survey", id_width),
        Column("ra", ">f8", "deg", "pos.eq.ra;meta.main", "Right ascension (ICRS)"),
        Column("dec", ">f8", "deg", "pos.eq.dec;meta.main", "Declination (ICRS)"),
        Column(
            "label",
            TEXT,
            "",
            "meta.code.class;meta.main",
            "Morphological class; unknown where is_unknown says so",
            label_width,
        ),
        Column(
            "label_probability",
            ">f4",
            "",
            "stat.probability;src.class",
            "Probability that the model gives to the label; low where a review overrides the"
            " model, 0 where the label is no class of it (unknown, or a reviewer's own)",
        ),
        Column(
            "is_unknown",
            TRUTH,
            "",
            "meta.code",
            "Whether no prototype resembles the source and nobody judged it; p_* are then a guess",
        ),
        *(
            Column(f"p_{key}", ">f4", "", "stat.probability", f"Probability of the class {key}")
            for key in classes
        ),
        Column("entropy", ">f4", "bit", "stat.param", "Entropy of the probabilities p_*"),
        Column(
            "source",
            TEXT,
            "",
            "meta.ref",
            "Where the label mostly comes from: prototype (votes on its prototype), head (votes on"
            " look-alikes anywhere on the map), grid (ticks and passes in grids that showed it),"
            " direct (votes on the source itself), prior (frequencies of the classes), review (a"
            " scientist)",
            max(len(source) for source in Entry.Source.values),
        ),
        Column("n_votes", ">i4", "", "meta.number", "Votes behind the row, shared ones included"),
        Column(
            "n_votes_prototype",
            ">i4",
            "",
            "meta.number",
            "Votes on the row's prototype, or on that of a child map which parts its members",
        ),
        Column(
            "n_votes_grid", ">i4", "", "meta.number", "Answers to grids that showed the source"
        ),
        Column("n_votes_direct", ">i4", "", "meta.number", "Votes on the source itself"),
        Column("n_volunteers", ">i4", "", "meta.number", "Different volunteers behind n_votes"),
        Column(
            "reliability",
            ">f4",
            "",
            "stat.probability",
            "Mean chance that the volunteers behind n_votes name the true class; NaN without any",
        ),
        Column("weight_prototype", ">f4", "", "stat.weight", "Share of the label from prototypes"),
        Column("weight_head", ">f4", "", "stat.weight", "Share of the label from look-alikes"),
        Column("weight_grid", ">f4", "", "stat.weight", "Share of the label from grids"),
        Column("weight_direct", ">f4", "", "stat.weight", "Share of the label from direct votes"),
        Column(
            "weight_prior", ">f4", "", "stat.weight", "Share of the label from class frequencies"
        ),
        Column("prototype_row", ">i2", "", "meta.id.part", "Row of the prototype on the map"),
        Column("prototype_column", ">i2", "", "meta.id.part", "Column of the prototype on the map"),
        Column(
            "distance",
            ">f4",
            "",
            "stat.fit.residual",
            "Rotation-invariant distance between the cutout and its prototype",
        ),
        Column(
            "angle",
            ">f4",
            "deg",
            "stat.fit.param",
            "Counter-clockwise turn of the cutout (y up), after the flip, into its prototype's"
            " frame; no position angle on the sky",
        ),
        Column(
            "flip",
            TRUTH,
            "",
            "meta.code",
            "Whether the cutout is mirrored left-right before it is turned",
        ),
        Column("outlier_rank", ">i8", "", "stat.rank", "Rank of strangeness; 1 is the strangest"),
        Column("outlier_score", ">f4", "", "stat.value", "Score of strangeness; more is stranger"),
        Column(
            "is_audit",
            TRUTH,
            "",
            "meta.code",
            "Whether the row is of the random audit sample, whose votes are compared with the map",
        ),
    ]  # fmt: skip


def ascii_text(text: str) -> str:
    """Percent-encode (RFC 3986) what printable ASCII does not hold, '%' and blanks at the end."""
    kept = text.rstrip(" ")
    return quote(kept, safe=_PLAIN) + "%20" * (len(text) - len(kept))


def record_type(columns: Sequence[Column]) -> np.dtype[Any]:
    return np.dtype([(column.name, column.dtype) for column in columns])


def read_records(release: Release, columns: Sequence[Column]) -> Iterator[Records]:
    """Read the rows of a release, batch by batch, in the order of their keys."""
    last = 0
    while batch := list(release.entries.filter(pk__gt=last).order_by("pk")[:BATCH_SIZE]):
        last = batch[-1].pk
        yield to_records(batch, release.run.classes, columns)


def to_records(
    batch: Sequence[Entry], classes: Sequence[str], columns: Sequence[Column]
) -> Records:
    """Put rows into the columns; a text that is wider than its column is cut."""
    records = np.zeros(len(batch), record_type(columns))
    for name, field in _FIELDS.items():
        records[name] = [getattr(entry, field) for entry in batch]
    for name, field in _TEXTS.items():
        records[name] = [ascii_text(getattr(entry, field)).encode() for entry in batch]
    for name, field in _TRUTHS.items():
        records[name] = [b"T" if getattr(entry, field) else b"F" for entry in batch]
    probabilities = np.array([entry.probabilities for entry in batch])  # (N, classes)
    for place, key in enumerate(classes):
        records[f"p_{key}"] = probabilities[:, place]
    records["angle"] = np.degrees([entry.angle_rad for entry in batch])
    return records


_TEXTS: Final = {"id": "identifier", "label": "label", "source": "source"}
_TRUTHS: Final = {"is_unknown": "is_unknown", "flip": "is_flipped", "is_audit": "is_audit"}
_FIELDS: Final = {
    "ra": "ra_deg",
    "dec": "dec_deg",
    "label_probability": "probability",
    "entropy": "entropy_bits",
    "n_votes": "n_votes",
    "n_votes_prototype": "n_votes_prototype",
    "n_votes_grid": "n_votes_grid",
    "n_votes_direct": "n_votes_direct",
    "n_volunteers": "n_volunteers",
    "reliability": "reliability",
    "weight_prototype": "weight_prototype",
    "weight_head": "weight_head",
    "weight_grid": "weight_grid",
    "weight_direct": "weight_direct",
    "weight_prior": "weight_prior",
    "prototype_row": "prototype_row",
    "prototype_column": "prototype_column",
    "distance": "distance",
    "outlier_rank": "outlier_rank",
    "outlier_score": "outlier_score",
}
