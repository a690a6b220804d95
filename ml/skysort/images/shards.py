"""Stores the pixels of a survey as FITS cubes that grow in place and are read by memory map.

A folder holds ``shard-00000.fits``, ``shard-00001.fits``, ... and ``manifest.json``. Each shard is
one FITS image (FITS standard 4.0) with axes (x, y, channel, image), big-endian float32, so any
astronomer's tool opens it, and image `row` lies at a fixed offset. Image number ``n`` of the
survey is row ``n % shard_size`` of shard ``n // shard_size``.
"""

import hashlib
import json
import mmap
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Self, TypedDict

import numpy as np
from astropy.io import fits
from numpy.typing import ArrayLike, NDArray

from skysort.errors import InputError
from skysort.images.fits_text import plain_text

__all__ = ["SHARD_SIZE", "Manifest", "ShardEntry", "ShardReader", "ShardWriter"]

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

SHARD_SIZE: Final = 8192  # images: 128 MiB of one-channel cutouts of 64 x 64
FORMAT: Final = "protozoo-shards/1"
MANIFEST: Final = "manifest.json"
BIG_ENDIAN: Final = np.dtype(">f4")
BLOCK: Final = 2880  # bytes; FITS files come in such blocks
CARD: Final = 80  # bytes
NAME: Final = re.compile(r"shard-(\d{5})\.fits")
#: Words of `about` that have a card of their own; all others go into HISTORY.
CARDS: Final = {
    "survey": "SURVEY",
    "licence": "LICENCE",
    "citation": "CITATION",
    "credit": "CREDIT",
    "recipe": "RECIPE",
    "unit": "BUNIT",
}


class ShardEntry(TypedDict):
    """A shard as its manifest lists it."""

    file: str
    n_images: int
    sha256: str


class Manifest(TypedDict):
    """What `manifest.json` says."""

    format: str
    image_shape: list[int]
    dtype: str
    n_images: int
    shard_size: int
    shards: list[ShardEntry]
    about: dict[str, Any]


@dataclass(frozen=True)
class _Layout:
    """Where things lie in a shard, as its own header says."""

    data_offset: int
    count_offset: int  # of the card NAXIS4
    shape: tuple[int, ...]  # (n, C, H, W)
    shard_size: int


class ShardWriter:
    """Appends images to a folder of shards; a context manager.

    After each `append` every shard is a whole, valid FITS file on the disk. The manifest is
    written by `close`; a shard that was not closed has images that no manifest knows, and the
    next writer keeps `n_keep` of them.

    Parameters
    ----------
    folder : path
        Made if need be. Only one writer at a time may work in it.
    image_shape : tuple of int
        (C, H, W).
    about : mapping of str
        What to say in the manifest and, as ASCII, in the header of each new shard: "survey",
        "licence", "citation", "credit", "recipe" and "unit" have cards of their own, anything
        else becomes HISTORY. Shards that exist keep their headers.
    n_keep : int, optional
        How many images of the folder are known elsewhere; what is beyond is cut off.
    shard_size : int, optional
        Images in a full shard.

    Raises
    ------
    InputError
        If the folder holds fewer than `n_keep` images, or images of another shape.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     about = {"survey": "none", "licence": "CC0-1.0"}
    ...     with ShardWriter(folder, image_shape=(1, 2, 2), about=about, shard_size=2) as writer:
    ...         writer.append(np.arange(12.0).reshape(3, 1, 2, 2)).tolist()
    ...     ShardReader(folder).read([[1, 0]]).tolist()
    [[0, 0], [0, 1], [1, 0]]
    [[[[8.0, 9.0], [10.0, 11.0]]]]
    """

    def __init__(
        self,
        folder: Path | str,
        *,
        image_shape: tuple[int, int, int],
        about: Mapping[str, Any],
        n_keep: int = 0,
        shard_size: int = SHARD_SIZE,
    ) -> None:
        if len(image_shape) != 3 or min(image_shape) < 1:
            raise InputError(f"image_shape must be three positive numbers, got {image_shape}")
        if shard_size < 1:
            raise InputError(f"shard_size must be at least 1, got {shard_size}")
        if n_keep < 0:
            raise InputError(f"n_keep must not be negative, got {n_keep}")
        self.folder = Path(folder)
        self.image_shape = image_shape
        self.about = dict(about)
        self.shard_size = shard_size
        self.n_images = n_keep
        self.folder.mkdir(parents=True, exist_ok=True)
        self._checksums = self._known_checksums()
        self._check_what_is_there()
        self._cut_off()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()

    def append(self, pixels: ArrayLike) -> IntArray:
        """Add images to the end.

        Parameters
        ----------
        pixels : array_like, (n, C, H, W)
            Written as float32; NaN is a blank pixel.

        Returns
        -------
        ndarray, int64, (n, 2)
            Shard and row of each image.

        Raises
        ------
        InputError
            If the images are not real numbers of the shards' shape.
        """
        images = np.asarray(pixels)
        if images.shape[1:] != tuple(self.image_shape) or images.dtype.kind not in "biuf":
            raise InputError(
                f"pixels must be real numbers of shape "
                f"(n, {', '.join(map(str, self.image_shape))}), "
                f"got {images.dtype} of shape {images.shape}"
            )
        numbers = np.arange(self.n_images, self.n_images + len(images))
        done = 0
        while done < len(images):
            shard, row = divmod(self.n_images, self.shard_size)
            part = images[done : done + self.shard_size - row]
            self._write(shard, row, part)
            self.n_images += len(part)
            done += len(part)
        return np.stack(np.divmod(numbers, self.shard_size), axis=1)

    def close(self) -> None:
        """Write the manifest, in one step; may be called again after more images."""
        entries: list[ShardEntry] = []
        for shard in range(-(-self.n_images // self.shard_size)):
            path = self._path(shard)
            if shard not in self._checksums:
                self._checksums[shard] = _sha256(path)
            count = self._count(shard)
            entries.append({"file": path.name, "n_images": count, "sha256": self._checksums[shard]})
        manifest: Manifest = {
            "format": FORMAT,
            "image_shape": list(self.image_shape),
            "dtype": "float32",
            "n_images": self.n_images,
            "shard_size": self.shard_size,
            "shards": entries,
            "about": self.about,
        }
        fresh = self.folder / f".{MANIFEST}.new"
        text = json.dumps(manifest, indent=1, ensure_ascii=False, default=str)
        fresh.write_text(text + "\n", "utf-8")
        fresh.replace(self.folder / MANIFEST)

    def _path(self, shard: int) -> Path:
        return self.folder / f"shard-{shard:05d}.fits"

    def _count(self, shard: int) -> int:
        return min(self.shard_size, self.n_images - shard * self.shard_size)

    def _known_checksums(self) -> dict[int, str]:
        """Take over the checksums of full shards, which never change again."""
        if not (self.folder / MANIFEST).exists():
            return {}
        manifest = _read_manifest(self.folder)
        return {
            shard: entry["sha256"]
            for shard, entry in enumerate(manifest["shards"])
            if entry["n_images"] == manifest["shard_size"]
            and (shard + 1) * manifest["shard_size"] <= self.n_images
        }

    def _check_what_is_there(self) -> None:
        for shard in range(-(-self.n_images // self.shard_size)):
            path, needed = self._path(shard), self._count(shard)
            if not path.exists():
                raise InputError(
                    f"n_keep says that {self.folder} holds {self.n_images} images, "
                    f"but {path.name} is missing"
                )
            layout = _read_layout(path)
            if layout.shape[1:] != tuple(self.image_shape) or layout.shard_size != self.shard_size:
                raise InputError(
                    f"{path} is a shard of {layout.shard_size} images of shape "
                    f"{layout.shape[1:]}, not of {self.shard_size} of {tuple(self.image_shape)}"
                )
            bytes_needed = layout.data_offset + needed * _image_bytes(self.image_shape)
            if layout.shape[0] < needed or path.stat().st_size < bytes_needed:
                raise InputError(
                    f"{path} is damaged: it must hold {needed} images, its header says "
                    f"{layout.shape[0]} and it has {path.stat().st_size} bytes"
                )

    def _cut_off(self) -> None:
        """Remove every image beyond those to keep, and the manifest if it knows of one."""
        manifest = self.folder / MANIFEST
        if manifest.exists() and _read_manifest(self.folder)["n_images"] > self.n_images:
            manifest.unlink()
        for path in sorted(self.folder.iterdir()):
            matched = NAME.fullmatch(path.name)
            if matched is None:
                continue
            count = self._count(int(matched[1]))
            if count <= 0:
                path.unlink()
            elif _must_be_cut(path, count):
                with path.open("r+b") as file:
                    _finish(file, _read_layout(path), count)

    def _write(self, shard: int, row: int, images: NDArray[np.generic]) -> None:
        path = self._path(shard)
        self._checksums.pop(shard, None)
        if row == 0:
            path.write_bytes(self._header(shard))
        layout = _read_layout(path)
        with path.open("r+b") as file:
            file.seek(layout.data_offset + row * _image_bytes(self.image_shape))
            with np.errstate(over="ignore"):
                file.write(np.ascontiguousarray(images, dtype=BIG_ENDIAN).data)
            _finish(file, layout, row + len(images))

    def _header(self, shard: int) -> bytes:
        channels, height, width = self.image_shape
        header = fits.Header()
        header["SIMPLE"] = (True, "FITS standard 4.0")
        header["BITPIX"] = (-32, "32-bit floating point; NaN is blank")
        header["NAXIS"] = 4
        header["NAXIS1"] = (width, "x")
        header["NAXIS2"] = (height, "y")
        header["NAXIS3"] = (channels, "channel")
        header["NAXIS4"] = (0, "image")
        header["SHARD"] = (shard, "number of this file in its folder")
        header["SHARDSZ"] = (self.shard_size, "images in a full shard")
        for word, said in self.about.items():
            text = plain_text(said)
            if word in CARDS:
                header[CARDS[word]] = text
            else:
                header.add_history(f"{plain_text(word)}: {text}")
        return str(header.tostring()).encode("ascii")


class ShardReader:
    """Reads images of a folder of shards by memory map.

    Parameters
    ----------
    folder : path
        As written by `ShardWriter`.

    Attributes
    ----------
    manifest : Manifest
        What `manifest.json` says.
    n_images : int
        Number of images.
    image_shape : tuple of int
        (C, H, W).

    Raises
    ------
    InputError
        If the folder has no manifest or one that cannot be understood.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self.manifest = _read_manifest(self.folder)
        self.n_images = self.manifest["n_images"]
        channels, height, width = self.manifest["image_shape"]
        self.image_shape = (channels, height, width)
        self._files: dict[int, mmap.mmap] = {}
        self._maps: dict[int, NDArray[np.float32]] = {}

    def __len__(self) -> int:
        return self.n_images

    def read(self, indices: ArrayLike) -> FloatArray:
        """Read images from anywhere.

        Parameters
        ----------
        indices : array_like of int, (n, 2)
            Shard and row of each image, in any order.

        Returns
        -------
        ndarray, float32, (n, C, H, W)

        Raises
        ------
        InputError
            If there is no such image or its shard is damaged.
        """
        places = np.asarray(indices)
        if places.size == 0:
            return np.empty((0, *self.image_shape), dtype=np.float32)
        if places.ndim != 2 or places.shape[1] != 2 or places.dtype.kind not in "iu":
            raise InputError(
                f"indices must be integers of shape (n, 2), got {places.dtype} of {places.shape}"
            )
        images = np.empty((len(places), *self.image_shape), dtype=np.float32)
        for shard in np.unique(places[:, 0]):
            chosen = np.flatnonzero(places[:, 0] == shard)
            rows = places[chosen, 1]
            self._check_rows(int(shard), rows)
            images[chosen] = self._map(int(shard))[rows]
            _forget(self._files[int(shard)])
        return images

    def read_numbers(self, numbers: ArrayLike) -> FloatArray:
        """Read images by their running numbers (n,), from 0 in the order they were appended."""
        places = np.asarray(numbers, dtype=np.int64)
        return self.read(np.stack(np.divmod(places, self.manifest["shard_size"]), axis=-1))

    def verify(self) -> None:
        """Compare every shard with the manifest.

        Raises
        ------
        InputError
            Naming the first file that is missing, truncated or changed.
        """
        for shard, entry in enumerate(self.manifest["shards"]):
            self._map(shard)
            path = self.folder / entry["file"]
            if _sha256(path) != entry["sha256"]:
                raise InputError(
                    f"{path} is damaged or was not closed: its sha256 is not the manifest's"
                )

    def _check_rows(self, shard: int, rows: NDArray[np.integer]) -> None:
        entries = self.manifest["shards"]
        if not 0 <= shard < len(entries):
            raise InputError(f"{self.folder} has shards 0 to {len(entries) - 1}, not {shard}")
        count = entries[shard]["n_images"]
        if rows.min() < 0 or rows.max() >= count:
            raise InputError(
                f"{self.folder / entries[shard]['file']} has images 0 to {count - 1}, "
                f"not {rows.min()} to {rows.max()}"
            )

    def _map(self, shard: int) -> NDArray[np.float32]:
        """Map a shard (n, C, H, W) into memory, big-endian, once."""
        if shard not in self._maps:
            entry = self.manifest["shards"][shard]
            path = self.folder / entry["file"]
            layout = _read_layout(path)
            needed = layout.data_offset + entry["n_images"] * _image_bytes(self.image_shape)
            if layout.shape[1:] != self.image_shape or path.stat().st_size < needed:
                raise InputError(
                    f"{path} is damaged: it must hold {entry['n_images']} images of shape "
                    f"{self.image_shape} in {needed} bytes, its header says {layout.shape} "
                    f"and it has {path.stat().st_size} bytes"
                )
            with path.open("rb") as file:
                self._files[shard] = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            self._maps[shard] = np.ndarray(
                (entry["n_images"], *self.image_shape),
                dtype=BIG_ENDIAN,
                buffer=self._files[shard],
                offset=layout.data_offset,
            )
        return self._maps[shard]


def _forget(file: mmap.mmap) -> None:
    """Let go of the pages that were read: a survey that streams by shall not fill the memory."""
    if hasattr(mmap, "MADV_DONTNEED"):
        file.madvise(mmap.MADV_DONTNEED)


def _image_bytes(image_shape: tuple[int, ...]) -> int:
    return int(np.prod(image_shape)) * BIG_ENDIAN.itemsize


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _padded(n_bytes: int) -> int:
    return -(-n_bytes // BLOCK) * BLOCK


def _must_be_cut(path: Path, count: int) -> bool:
    layout = _read_layout(path)
    size = layout.data_offset + _padded(count * _image_bytes(layout.shape[1:]))
    return layout.shape[0] != count or path.stat().st_size != size


def _finish(file: BinaryIO, layout: _Layout, count: int) -> None:
    """Make a shard of `count` images a valid file: cut, fill the last block, count, sync."""
    end = layout.data_offset + count * _image_bytes(layout.shape[1:])
    file.truncate(end)
    file.truncate(layout.data_offset + _padded(end - layout.data_offset))  # fills with zeros
    file.seek(layout.count_offset)
    file.write(str(fits.Card("NAXIS4", count, "image")).encode("ascii"))
    file.flush()
    os.fsync(file.fileno())


def _read_layout(path: Path) -> _Layout:
    try:
        header = fits.Header.fromfile(path)
        shape = tuple(int(header[f"NAXIS{axis}"]) for axis in (4, 3, 2, 1))
        shard_size = int(header["SHARDSZ"])
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise InputError(f"{path} is no shard: {error}") from error
    text = header.tostring()
    return _Layout(len(text), CARD * header.index("NAXIS4"), shape, shard_size)


def _read_manifest(folder: Path) -> Manifest:
    path = folder / MANIFEST
    try:
        manifest: Manifest = json.loads(path.read_text("utf-8"))
        _check_manifest(manifest)
    except FileNotFoundError as error:
        raise InputError(
            f"{folder} has no {MANIFEST}: it holds no shards, or an import was interrupted; "
            "import again"
        ) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is no manifest of shards: {error!r}") from error
    return manifest


def _check_manifest(manifest: Manifest) -> None:
    if manifest["format"] != FORMAT:
        raise ValueError(f"format must be {FORMAT}, got {manifest['format']}")
    if len(manifest["image_shape"]) != 3 or min(manifest["image_shape"]) < 1:
        raise ValueError("image_shape must be three positive numbers")
    left, size = manifest["n_images"], manifest["shard_size"]
    for number, entry in enumerate(manifest["shards"]):
        if entry["file"] != f"shard-{number:05d}.fits" or entry["n_images"] != min(left, size):
            raise ValueError(f"shards[{number}] must be shard-{number:05d}.fits and full")
        left -= entry["n_images"]
    if left:
        raise ValueError("the shards do not add up to n_images")
