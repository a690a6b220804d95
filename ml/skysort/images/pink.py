"""Reads and writes the binary files of PINK 2: images, maps, mappings and transforms.

PINK (Polsterer, Gieseke & Igel 2015, ASPC 495, 81; https://github.com/HITS-AIN/PINK) describes its
files in FILE_FORMATS.md. What that page leaves open was seen in files that PINK 2.5 wrote:

- All numbers are little-endian. A file may begin with lines of text that start with ``#``; after
  a line ``# END OF HEADER`` the numbers begin.
- Images and neurons come in C order, ``H W`` or ``C H W``. The earliest files of version 2 name
  the axes of several channels ``H W C``, but store them channel by channel all the same.
- The shape of a map is ``W H``, and *H runs fastest*: the neuron in column x and row y, as PINK's
  scripts draw it, is number ``x * H + y``. Here units are numbered ``row * columns + column`` with
  ``rows = H`` and ``columns = W``, so units are put into another order on reading and writing.
- A hexagonal map is a hexagon inside of its ``d x d`` rows and columns, d odd, with
  ``d^2 - r (r + 1)`` neurons where ``r = (d - 1) / 2``; they keep PINK's order, row by row. PINK
  writes layout 0 for these as well, so that only the length of the file tells them apart.
- Distances are Euclidean, not squared. A transform is five bytes: flip (0 or 1) and angle. PINK
  turns first and mirrors then, see `change_convention`.

Pixels keep their order: the first row of PINK's image is row 0, at the bottom.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skysort.errors import InputError
from skysort.images.whole_file import write_whole

__all__ = [
    "Kind",
    "Lattice",
    "Mapping",
    "Neurons",
    "Transforms",
    "change_convention",
    "file_kind",
    "mapping_writer",
    "read_images",
    "read_mapping",
    "read_neurons",
    "read_transforms",
    "transforms_writer",
    "write_images",
    "write_neurons",
]

FloatArray = NDArray[np.float32]
BoolArray = NDArray[np.bool_]
Kind = Literal["images", "map", "mapping", "transforms"]

VERSION: Final = 2
KINDS: Final[tuple[Kind, ...]] = ("images", "map", "mapping", "transforms")
FLOAT32: Final = 0  # PINK's number of the only data type that it reads and writes
CARTESIAN: Final = 0
HEXAGONAL: Final = 1
INTEGER: Final = np.dtype("<i4")
FLOAT: Final = np.dtype("<f4")
TRANSFORM: Final = np.dtype([("flip", "i1"), ("angle", "<f4")])  # packed: 5 bytes
MAX_HEADER: Final = 13  # numbers: those of a map of three axes with neurons of three
MAX_COMMENTS: Final = 2**20  # bytes of text before the numbers
MAX_CHANNELS: Final = 16  # a longer axis is not channels
BLOCK: Final = 4096  # images written at once
END_OF_COMMENTS: Final = b"# END OF HEADER"


@dataclass(frozen=True)
class Lattice:
    """Where the neurons of a PINK map lie.

    Parameters
    ----------
    rows, columns : int
        PINK's height and width. A hexagonal map has as many rows as columns, an odd number.
    topology : {"rectangular", "hexagonal"}
        "hexagonal" is PINK's hexagon of neurons, not a rectangle with shifted rows.

    Raises
    ------
    InputError
        If an argument breaks these rules.

    Examples
    --------
    >>> Lattice(3, 3).n_units, Lattice(3, 3, "hexagonal").n_units
    (9, 7)
    """

    rows: int
    columns: int
    topology: Literal["rectangular", "hexagonal"] = "rectangular"

    def __post_init__(self) -> None:
        if min(self.rows, self.columns) < 1:
            raise InputError(
                f"rows and columns must be at least 1, got {self.rows} and {self.columns}"
            )
        if self.topology == "hexagonal" and (self.rows != self.columns or self.rows % 2 == 0):
            raise InputError(
                "a hexagonal map of PINK has equally many rows and columns, an odd number, "
                f"got {self.rows} x {self.columns}"
            )

    @property
    def n_units(self) -> int:
        """Number of neurons."""
        radius = (self.rows - 1) // 2 if self.topology == "hexagonal" else 0
        return self.rows * self.columns - radius * (radius + 1)

    def places(self) -> NDArray[np.int64]:
        """Row and column (K, 2) of each unit; on a hexagon PINK's axial ones, r and q.

        Examples
        --------
        >>> Lattice(3, 3, "hexagonal").places().tolist()
        [[0, 1], [0, 2], [1, 0], [1, 1], [1, 2], [2, 0], [2, 1]]
        """
        row, column = np.divmod(np.arange(self.rows * self.columns), self.columns)
        places = np.stack([row, column], axis=1)
        if self.topology == "rectangular":
            return places
        radius = (self.rows - 1) // 2
        inside: NDArray[np.int64] = places[np.abs(row + column - 2 * radius) <= radius]
        return inside

    def file_order(self) -> NDArray[np.int64]:
        """Our number (K,) of each neuron, in the order of the file.

        Examples
        --------
        >>> Lattice(2, 3).file_order().tolist()
        [0, 3, 1, 4, 2, 5]
        """
        units = np.arange(self.n_units)
        if self.topology == "hexagonal":
            return units
        return units.reshape(self.rows, self.columns).T.flatten()


@dataclass(frozen=True)
class Neurons:
    """A PINK map: `weights` (K, C, H, W), float32 and finite, on its `lattice`."""

    weights: FloatArray
    lattice: Lattice


@dataclass(frozen=True)
class Mapping:
    """Distances (n, K), float32, of n images from the neurons of a `lattice`."""

    distances: FloatArray
    lattice: Lattice


@dataclass(frozen=True)
class Transforms:
    """How n images are aligned to K neurons, in this project's convention.

    Attributes
    ----------
    angle_rad : ndarray (n, K), float32
        In [0, 2 pi).
    flip : ndarray (n, K), bool
        Whether the image is mirrored before it is turned.
    lattice : Lattice
        Of the neurons.
    """

    angle_rad: FloatArray
    flip: BoolArray
    lattice: Lattice


class _Stack(Protocol):
    def __len__(self) -> int: ...

    def __getitem__(self, part: slice, /) -> NDArray[Any]: ...


def change_convention(angle_rad: ArrayLike, flip: ArrayLike) -> FloatArray:
    """Turn an angle of PINK's convention into one of ours, or back.

    With row 0 at the bottom both turn counter-clockwise. We mirror left-right and turn then:
    ``rotate(b) . mirror``. PINK turns and then puts the image upside down, which is to mirror it
    and turn it by pi: ``rotate(pi) . mirror . rotate(a) = rotate(pi - a) . mirror``. So
    ``b = pi - a`` of a flipped image and ``b = a`` of any other, whichever way one goes.

    Parameters
    ----------
    angle_rad : array_like
        Any shape.
    flip : array_like
        Of the same shape; equal in both conventions.

    Returns
    -------
    ndarray, float32
        Angles in [0, 2 pi).

    Examples
    --------
    >>> np.degrees(change_convention(np.radians([30.0, 30.0, 200.0]), [0, 1, 1])).round(3).tolist()
    [30.0, 150.0, 340.0]
    """
    angle = np.asarray(angle_rad, dtype=np.float64)
    turned = np.mod(np.where(np.asarray(flip, dtype=bool), np.pi - angle, angle), 2.0 * np.pi)
    single = turned.astype(np.float32)
    return np.where(single >= np.float32(2.0 * np.pi), np.float32(0.0), single)


def file_kind(path: Path | str) -> Kind | None:
    """Say what kind of PINK 2 file this is, by its first numbers; None if it is none."""
    source = Path(path)
    if not source.is_file():
        return None
    try:
        header = _Header(source)
        version, kind = header.take("version"), header.take("kind")
    except InputError:
        return None
    return KINDS[kind] if version == VERSION and 0 <= kind < len(KINDS) else None


def read_images(path: Path | str) -> FloatArray:
    """Map the images of a file into memory.

    Parameters
    ----------
    path : path
        A file of PINK's kind 0.

    Returns
    -------
    memmap (n, C, H, W), little-endian float32, read-only
        Blank pixels stay as they are.

    Raises
    ------
    InputError
        If the file is missing, of another kind, version or data type, truncated or too long, or
        its images are none or not square.
    """
    header = _open(path, "images")
    _check_data_type(header)
    n_images = header.take("the number of images")
    _check_layout(header, "images")
    shape = _image_shape(header, "images")
    if n_images < 1:
        raise InputError(f"{header.path} must hold at least one image, its header says {n_images}")
    _check_length(header, n_images * math.prod(shape) * FLOAT.itemsize)
    return np.memmap(
        header.path, dtype=FLOAT, mode="r", offset=header.offset, shape=(n_images, *shape)
    )


def read_neurons(path: Path | str) -> Neurons:
    """Read the neurons of a map, in our order.

    Raises
    ------
    InputError
        As `read_images`, or if a neuron has a weight that is not finite; names the neuron by its
        number in the file.
    """
    header = _open(path, "map")
    _check_data_type(header)
    layout, lengths = header.take("the layout of the map"), header.lengths("the map")
    _check_layout(header, "neurons")
    shape = _image_shape(header, "neurons")
    size = math.prod(shape)
    lattice = _lattice(header, layout, lengths, size * FLOAT.itemsize)
    stored = _read_array(header, FLOAT, (lattice.n_units, *shape))
    finite = np.isfinite(stored).all(axis=(1, 2, 3))
    if not finite.all():
        raise InputError(
            f"{header.path}, neuron {int(np.argmin(finite))} (from 0, in the order of the file), "
            "has a weight that is NaN or infinite; train the map again without such pixels"
        )
    return Neurons(_our_order(stored, lattice, axis=0), lattice)


def read_mapping(path: Path | str) -> Mapping:
    """Read the distances of images from neurons, in our order of units.

    Raises
    ------
    InputError
        As `read_images`, or if a distance is negative or not finite; names the image.
    """
    header = _open(path, "mapping")
    _check_data_type(header)
    n_images, lattice = _entries(header, FLOAT.itemsize)
    stored = _read_array(header, FLOAT, (n_images, lattice.n_units))
    good = (np.isfinite(stored) & (stored >= 0.0)).all(axis=1)
    if not good.all():
        raise InputError(
            f"{header.path}, image {int(np.argmin(good))}, has a distance that is negative, NaN or "
            "infinite; map the images again"
        )
    return Mapping(_our_order(stored, lattice, axis=1), lattice)


def read_transforms(path: Path | str) -> Transforms:
    """Read angles and flips, in our order of units and our convention.

    Raises
    ------
    InputError
        As `read_images`, or if a flip is neither 0 nor 1 or an angle is not finite; names the
        image.
    """
    header = _open(path, "transforms")
    n_images, lattice = _entries(header, TRANSFORM.itemsize)
    stored = _read_array(header, TRANSFORM, (n_images, lattice.n_units))
    good = (np.isfinite(stored["angle"]) & np.isin(stored["flip"], (0, 1))).all(axis=1)
    if not good.all():
        raise InputError(
            f"{header.path}, image {int(np.argmin(good))}, has a flip that is neither 0 nor 1 or "
            "an angle that is not finite; map the images again"
        )
    flip = _our_order(stored["flip"], lattice, axis=1).astype(bool)
    angle = _our_order(stored["angle"], lattice, axis=1)
    return Transforms(change_convention(angle, flip), flip, lattice)


def write_images(path: Path | str, images: _Stack) -> None:
    """Write images; one channel becomes two axes, several become three.

    Parameters
    ----------
    path : path
        Replaced if it exists, written whole or not at all.
    images : stack
        ``images[start:stop]`` gives (n, C, H, W), H == W; read in slices.

    Raises
    ------
    InputError
        If there is no image, or the images are not square.
    """
    if len(images) == 0:
        raise InputError("PINK's files hold at least one image, got 0")
    shape = images[:1].shape[1:]
    _check_square(shape, "images")
    with write_whole(path) as file:
        file.write(_integers([VERSION, 0, FLOAT32, len(images), CARTESIAN, *_axes(shape)]))
        for start in range(0, len(images), BLOCK):
            file.write(np.ascontiguousarray(images[start : start + BLOCK], dtype=FLOAT).data)


def write_neurons(path: Path | str, weights: ArrayLike, lattice: Lattice) -> None:
    """Write a map: weights (K, C, H, W) of our order of units.

    Raises
    ------
    InputError
        If the weights do not fit the lattice, are not square or not finite.
    """
    neurons = np.asarray(weights, dtype=FLOAT)
    if neurons.ndim != 4 or len(neurons) != lattice.n_units:
        raise InputError(
            f"weights must have shape ({lattice.n_units}, C, H, W), got {neurons.shape}"
        )
    _check_square(neurons.shape[1:], "neurons")
    finite = np.isfinite(neurons).all(axis=(1, 2, 3))
    if not finite.all():
        raise InputError(f"weights of unit {int(np.argmin(finite))} must be finite")
    header = [VERSION, 1, FLOAT32, *_lattice_header(lattice), CARTESIAN, *_axes(neurons.shape[1:])]
    with write_whole(path) as file:
        file.write(_integers(header))
        file.write(np.ascontiguousarray(neurons[lattice.file_order()]).data)


@contextmanager
def mapping_writer(
    path: Path | str, *, n_images: int, lattice: Lattice
) -> Iterator[Callable[[ArrayLike], None]]:
    """Write distances part by part.

    Parameters
    ----------
    path : path
        Replaced if it exists, written whole or not at all.
    n_images : int
        How many there will be.
    lattice : Lattice
        Of the K units.

    Yields
    ------
    callable
        Takes the distances (n, K) of the next n images, in our order of units.

    Raises
    ------
    InputError
        If a part has another shape, or the parts are not `n_images` at the end.
    """
    header = [VERSION, 2, FLOAT32, n_images, *_lattice_header(lattice)]
    with _entry_writer(path, header, n_images, lattice) as write:
        yield lambda distances: write(np.asarray(distances, dtype=FLOAT))


@contextmanager
def transforms_writer(
    path: Path | str, *, n_images: int, lattice: Lattice
) -> Iterator[Callable[[ArrayLike, ArrayLike], None]]:
    """Write angles and flips part by part, see `mapping_writer`.

    Yields
    ------
    callable
        Takes angles (n, K) in rad and flips (n, K) of the next n images, both in our convention
        and order of units.
    """

    def write_part(angle_rad: ArrayLike, flip: ArrayLike) -> None:
        mirrored = np.asarray(flip, dtype=bool)
        part = np.empty(mirrored.shape, dtype=TRANSFORM)
        part["flip"], part["angle"] = mirrored, change_convention(angle_rad, mirrored)
        write(part)

    header = [VERSION, 3, n_images, *_lattice_header(lattice)]
    with _entry_writer(path, header, n_images, lattice) as write:
        yield write_part


@contextmanager
def _entry_writer(
    path: Path | str, header: list[int], n_images: int, lattice: Lattice
) -> Iterator[Callable[[NDArray[Any]], None]]:
    n_written, order = 0, lattice.file_order()
    with write_whole(path) as file:
        file.write(_integers(header))

        def write(part: NDArray[Any]) -> None:
            nonlocal n_written
            if part.ndim != 2 or part.shape[1] != lattice.n_units:
                raise InputError(
                    f"each part must have shape (n, {lattice.n_units}), got {part.shape}"
                )
            file.write(np.ascontiguousarray(part[:, order]).data)
            n_written += len(part)

        yield write
        if n_written != n_images:
            raise InputError(f"{path} was to hold {n_images} images, got {n_written}")


class _Header:
    """The numbers at the beginning of a file, taken one by one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.n_bytes = path.stat().st_size
        with path.open("rb") as file:
            self.offset = _skip_comments(file.read(MAX_COMMENTS))
            file.seek(self.offset)
            raw = file.read(MAX_HEADER * INTEGER.itemsize)
        self._numbers = np.frombuffer(raw, INTEGER, len(raw) // INTEGER.itemsize).tolist()

    def take(self, what: str) -> int:
        """Give the next number; `offset` then points behind it."""
        if not self._numbers:
            raise InputError(f"{self.path} is truncated: its header ends before {what}")
        self.offset += INTEGER.itemsize
        return int(self._numbers.pop(0))

    def lengths(self, what: str) -> list[int]:
        """Give the lengths of some axes, which follow their number."""
        n_axes = self.take(f"the number of axes of {what}")
        if not 1 <= n_axes <= 3:
            raise InputError(f"{self.path} must have 1 to 3 axes of {what}, got {n_axes}")
        lengths = [self.take(f"the axes of {what}") for _ in range(n_axes)]
        if min(lengths) < 1:
            raise InputError(
                f"{self.path} must have positive lengths of the axes of {what}, got {lengths}"
            )
        return lengths


def _skip_comments(start: bytes) -> int:
    """Find where the numbers begin."""
    offset = 0
    while start[offset : offset + 1] == b"#":
        end = start.find(b"\n", offset)
        if end < 0:
            return len(start)
        line = start[offset:end]
        offset = end + 1
        if line.rstrip() == END_OF_COMMENTS:
            break
    return offset


def _open(path: Path | str, kind: Kind) -> _Header:
    source = Path(path)
    if not source.is_file():
        raise InputError(f"{source} is no file; expected {kind} of PINK")
    header = _Header(source)
    version = header.take("its version")
    if version != VERSION:
        raise InputError(
            f"{source} is no file of PINK's version {VERSION}: its first number is {version}; "
            "PINK's convert_data_binary_file.py brings files of version 1 up to date"
        )
    number = header.take("its kind")
    if number != KINDS.index(kind):
        known = KINDS[number] if 0 <= number < len(KINDS) else "nothing that is known"
        raise InputError(
            f"{source} must hold {kind} (kind {KINDS.index(kind)}), not {known} (kind {number})"
        )
    return header


def _check_data_type(header: _Header) -> None:
    data_type = header.take("its data type")
    if data_type != FLOAT32:
        raise InputError(
            f"{header.path} must hold 32-bit floating point numbers (data type 0), "
            f"got data type {data_type}"
        )


def _check_layout(header: _Header, what: str) -> None:
    layout = header.take(f"the layout of the {what}")
    if layout != CARTESIAN:
        raise InputError(
            f"{header.path} must hold {what} of a cartesian layout (0), got layout {layout}"
        )


def _image_shape(header: _Header, what: str) -> tuple[int, int, int]:
    """Give (C, H, W)."""
    lengths = header.lengths(f"the {what}")
    if len(lengths) < 2:
        raise InputError(
            f"{header.path} must hold {what} of 2 or 3 axes (H, W or C, H, W), got {len(lengths)}"
        )
    if len(lengths) == 3 and lengths[0] == lengths[1] != lengths[2]:
        lengths = [lengths[2], *lengths[:2]]  # the earliest files of version 2
    channels, height, width = lengths if len(lengths) == 3 else (1, *lengths)
    if height != width or channels > MAX_CHANNELS:
        raise InputError(
            f"{header.path} must hold square {what} of at most {MAX_CHANNELS} channels, "
            f"got axes {lengths}"
        )
    return channels, height, width


def _entries(header: _Header, bytes_per_unit: int) -> tuple[int, Lattice]:
    """Read number of images and lattice of a mapping or of transforms."""
    n_images = header.take("the number of images")
    if n_images < 1:
        raise InputError(
            f"{header.path} must tell of at least one image, its header says {n_images}"
        )
    layout, lengths = header.take("the layout of the map"), header.lengths("the map")
    return n_images, _lattice(header, layout, lengths, n_images * bytes_per_unit)


def _lattice(header: _Header, layout: int, lengths: list[int], bytes_per_unit: int) -> Lattice:
    """Find the lattice that explains header and length; PINK writes layout 0 for any."""
    columns, rows, depth = [*lengths, 1, 1][:3]
    if depth != 1:
        raise InputError(
            f"{header.path} holds a map of three dimensions {lengths}; only flat ones are read"
        )
    if layout not in (CARTESIAN, HEXAGONAL):
        raise InputError(
            f"{header.path} must have a map of layout 0 (cartesian) or 1 (hexagonal), got {layout}"
        )
    if layout == HEXAGONAL and (rows != columns or rows % 2 == 0):
        raise InputError(
            f"{header.path} has a hexagonal map of {columns} x {rows} neurons; its rows and "
            "columns must be equally many, an odd number"
        )
    hexagon = Lattice(rows, rows, "hexagonal") if rows == columns and rows % 2 else None
    rest = header.n_bytes - header.offset
    if hexagon and (layout == HEXAGONAL or rest == hexagon.n_units * bytes_per_unit):
        lattice = hexagon if rows > 1 else Lattice(1, 1)
    else:
        lattice = Lattice(rows, columns)
    _check_length(header, lattice.n_units * bytes_per_unit)
    return lattice


def _lattice_header(lattice: Lattice) -> list[int]:
    layout = HEXAGONAL if lattice.topology == "hexagonal" else CARTESIAN
    return [layout, 2, lattice.columns, lattice.rows]


def _check_length(header: _Header, needed: int) -> None:
    rest = header.n_bytes - header.offset
    if rest < needed:
        raise InputError(
            f"{header.path} is truncated: its header promises {needed} bytes of data, "
            f"{rest} are there"
        )
    if rest > needed:
        raise InputError(
            f"{header.path} does not fit its header: {needed} bytes of data are promised, and "
            f"{rest - needed} more are there"
        )


def _read_array(header: _Header, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    with header.path.open("rb") as file:
        file.seek(header.offset)
        return np.fromfile(file, dtype=dtype, count=math.prod(shape)).reshape(shape)


def _our_order(stored: NDArray[Any], lattice: Lattice, *, axis: int) -> NDArray[Any]:
    return stored.take(np.argsort(lattice.file_order()), axis=axis)


def _check_square(shape: tuple[int, ...], what: str) -> None:
    if len(shape) != 3 or shape[1] != shape[2]:
        raise InputError(f"PINK's {what} must be square, (C, H, H), got {shape}")


def _axes(shape: tuple[int, ...]) -> list[int]:
    kept = shape[1:] if shape[0] == 1 else shape
    return [len(kept), *kept]


def _integers(numbers: list[int]) -> bytes:
    return np.array(numbers, dtype=INTEGER).tobytes()
