"""Opens what surveys come as: folders of pictures, NumPy cubes, HDF5 files.

Whatever it was, an image is float32 (C, H, W) with row 0 at the bottom. Files are strangers':
nothing is unpickled, no link out of an HDF5 file is followed, and sizes are checked before memory
is taken.
"""

import re
import struct
import tokenize
import warnings
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from skysort.errors import InputError
from skysort.images.fits_image import FITS_SUFFIXES, read_fits_image

__all__ = ["ImageSource", "conform", "open_images"]

FloatArray = NDArray[np.float32]

PICTURE_SUFFIXES: Final = (".png", ".jpg", ".jpeg")
HDF5_SUFFIXES: Final = (".h5", ".hdf5", ".hdf", ".he5")
MAX_PIXELS: Final = 2**26  # of one image, 8192 x 8192, all channels together
MAX_CHANNELS: Final = 16  # a longer axis is not channels but a cube that was meant otherwise
IMAGE_NAMES: Final = ("img", "image", "images", "data", "pixels", "cutout")
# All that NumPy raises on damaged headers, which it reads as Python literals.
NPY_DAMAGE: Final = (
    OSError,
    ValueError,
    EOFError,
    SyntaxError,
    TypeError,
    OverflowError,
    tokenize.TokenError,
)


class ImageSource(ABC):
    """Images in a fixed order, each with a name.

    Attributes
    ----------
    path : Path
        What was opened.
    names : list of str
        File name without its suffix, name of the HDF5 group, or running number from 0.
    is_ordered : bool
        Whether the order alone says which row of a table an image belongs to: true of cubes;
        false of files and groups, whose names say it (a table may have data_10 before data_2).
    """

    path: Path
    names: list[str]
    is_ordered: bool

    def __len__(self) -> int:
        return len(self.names)

    def read(self, i: int) -> FloatArray:
        """Read one image.

        Parameters
        ----------
        i : int
            From 0.

        Returns
        -------
        ndarray, float32, (C, H, W)
            NaN is blank, and so are fully transparent pixels of a PNG.

        Raises
        ------
        InputError
            Naming the file or index and what is wrong with it.
        """
        self._check_number(i)
        return self._read(i)

    def attributes(self, i: int) -> dict[str, Any]:
        """Tell what the file says of one image besides its pixels, as JSON values."""
        self._check_number(i)
        return {}

    @abstractmethod
    def _read(self, i: int) -> FloatArray: ...

    def _check_number(self, i: int) -> None:
        if not 0 <= i < len(self):
            raise InputError(f"{self.path} has images 0 to {len(self) - 1}, not {i}")


def open_images(path: Path | str) -> ImageSource:
    """Open the images of a survey.

    Parameters
    ----------
    path : path
        One of

        - a folder of FITS (.fits, .fit, also with .gz or .fz), PNG and JPEG files, in natural
          order of their names; PNG and JPEG are turned upside down on reading, so that up stays
          up when row 0 is shown at the bottom;
        - a `.npy` array (n, y, x), (n, c, y, x) or (n, y, x, 3) of real numbers;
        - an HDF5 file with one such array, or with one group per image, in natural order, that
          holds an array (y, x), (c, y, x) or (y, x, 3).

    Returns
    -------
    ImageSource

    Raises
    ------
    InputError
        If there is nothing of the kind.
    """
    path = Path(path)
    if path.is_dir():
        return _Folder(path)
    if not path.exists():
        raise InputError(f"{path} does not exist")
    if path.suffix.lower() == ".npy":
        return _NumpyCube(path)
    if path.suffix.lower() in HDF5_SUFFIXES or h5py.is_hdf5(path):
        return _open_hdf5(path)
    raise InputError(f"{path} must be a folder of FITS, PNG or JPEG files, a .npy or an HDF5 file")


def conform(pixels: NDArray[np.generic], size: int) -> FloatArray:
    """Bring an image to the survey's size about its centre.

    An edge that is much longer than `size` is first averaged in blocks of ``k x k`` pixels,
    ``k = round(shorter edge / (2 size))`` where that is 2 or more, so that at least the central
    half of the picture's width stays in view. Then it is cropped, or padded with blank pixels.
    Pixel ``edge // 2`` of an edge lands on pixel ``size // 2`` where no averaging takes place.

    Parameters
    ----------
    pixels : ndarray, (C, H, W)
        NaN is blank; a block is the mean of what is not.
    size : int
        Pixels along an edge.

    Returns
    -------
    ndarray, float32, (C, size, size)

    Raises
    ------
    InputError
        If `pixels` has not three axes or `size` is not positive.

    Examples
    --------
    >>> conform(np.arange(16.0).reshape(1, 4, 4), 3)[0].tolist()
    [[5.0, 6.0, 7.0], [9.0, 10.0, 11.0], [13.0, 14.0, 15.0]]
    >>> conform(np.ones((3, 300, 300)), 64).shape
    (3, 64, 64)
    """
    if pixels.ndim != 3 or 0 in pixels.shape:
        raise InputError(f"pixels must have shape (C, H, W), got {pixels.shape}")
    if size < 1:
        raise InputError(f"size must be at least 1 pixel, got {size}")
    image = pixels.astype(np.float32)
    block = round(min(image.shape[1:]) / (2 * size))
    if block >= 2:
        image = _block_mean(image, block)
    return _about_centre(_about_centre(image, size, axis=1), size, axis=2)


def _about_centre(image: FloatArray, size: int, *, axis: int) -> FloatArray:
    length = image.shape[axis]
    start = length // 2 - size // 2
    if start >= 0 and start + size <= length:
        return image.take(range(start, start + size), axis=axis)
    widths = [(0, 0)] * image.ndim
    widths[axis] = (max(0, -start), max(0, start + size - length))
    padded = np.pad(image, widths, constant_values=np.nan)
    return padded.take(range(max(0, start), max(0, start) + size), axis=axis)


def _block_mean(image: FloatArray, block: int) -> FloatArray:
    """Average blocks about the centre; a block that is all blank stays blank."""
    channels, height, width = image.shape
    rows, columns = height // block, width // block
    top, left = (height - rows * block) // 2, (width - columns * block) // 2
    kept = image[:, top : top + rows * block, left : left + columns * block]
    blocks = kept.reshape(channels, rows, block, columns, block)
    count = np.isfinite(blocks).sum(axis=(2, 4))
    total = np.where(np.isfinite(blocks), blocks, 0.0).sum(axis=(2, 4), dtype=np.float64)
    mean = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return np.asarray(mean, dtype=np.float32)


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Sort key that puts data_2 before data_10."""
    return [
        (0, int(part), "") if part.isdecimal() else (1, 0, part)
        for part in re.split(r"([0-9]+)", name)
        if part
    ]


def _channels_first(pixels: NDArray[np.generic], where: str) -> FloatArray:
    """Bring one image (y, x), (c, y, x) or (y, x, 3) to float32 (C, H, W)."""
    if pixels.dtype.kind not in "biuf":
        raise InputError(f"{where} must hold real numbers, not {pixels.dtype}")
    while pixels.ndim > 3 and pixels.shape[0] == 1:  # Stokes and frequency of radio images
        pixels = pixels[0]
    if pixels.ndim == 3 and pixels.shape[-1] == 3 and pixels.shape[0] != 3:
        pixels = np.moveaxis(pixels, -1, 0)
    if pixels.ndim == 2:
        pixels = pixels[None]
    if pixels.ndim != 3 or pixels.size == 0 or len(pixels) > MAX_CHANNELS:
        raise InputError(
            f"{where} must hold an image (y, x), (c, y, x) with at most {MAX_CHANNELS} channels, "
            f"or (y, x, 3), not of shape {pixels.shape}"
        )
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(pixels, dtype=np.float32)


def _check_cube(shape: tuple[int, ...], dtype: np.dtype[Any], where: str) -> None:
    if len(shape) not in (3, 4) or 0 in shape or dtype.kind not in "biuf":
        raise InputError(
            f"{where} must be real numbers of shape (n, y, x), (n, c, y, x) or (n, y, x, 3), "
            f"not {dtype} of shape {shape}"
        )
    _check_pixels(shape[1:], where)


def _check_pixels(shape: tuple[int, ...], where: str) -> None:
    n_pixels = int(np.prod(shape, dtype=object))
    if n_pixels > MAX_PIXELS:
        raise InputError(f"{where} has images of {n_pixels} pixels; at most {MAX_PIXELS} are read")


class _Folder(ImageSource):
    """A folder of single files."""

    is_ordered = False

    def __init__(self, path: Path) -> None:
        self.path = path
        found = sorted(
            (file for file in path.iterdir() if _suffix(file) and not file.name.startswith(".")),
            key=lambda file: _natural(file.name),
        )
        if not found:
            raise InputError(f"{path} holds no file that ends in {', '.join(_suffixes())}")
        self.files = found
        self.names = [file.name[: -len(_suffix(file))] for file in found]
        self._check_names()

    def _check_names(self) -> None:
        seen: dict[str, Path] = {}
        for name, file in zip(self.names, self.files, strict=True):
            if name in seen:
                raise InputError(
                    f"{self.path} holds {seen[name].name} and {file.name} under one name; "
                    "keep one picture of each source"
                )
            seen[name] = file

    def _read(self, i: int) -> FloatArray:
        file = self.files[i]
        if not file.is_file():  # a folder, a pipe that would never end, a link to nowhere
            raise InputError(f"{file} cannot be read: it is no file")
        if _suffix(file) in PICTURE_SUFFIXES:
            return _read_picture(file)
        pixels, _ = read_fits_image(file, max_pixels=MAX_PIXELS)
        while pixels.ndim > 3 and pixels.shape[0] == 1:
            pixels = pixels[0]
        return _channels_first(pixels, str(file))


def _suffixes() -> tuple[str, ...]:
    return (*FITS_SUFFIXES, *PICTURE_SUFFIXES)


def _suffix(file: Path) -> str:
    name = file.name.lower()
    return max((suffix for suffix in _suffixes() if name.endswith(suffix)), key=len, default="")


def _read_picture(path: Path) -> FloatArray:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=("PNG", "JPEG")) as picture:
                _check_pixels((len(picture.getbands()), *picture.size), str(path))
                values = _values(picture)
    except InputError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InputError(f"{path} is refused: {error}") from error
    except (OSError, ValueError, SyntaxError, EOFError, struct.error, zlib.error) as error:
        raise InputError(f"{path} is no readable PNG or JPEG file: {error}") from error
    return np.ascontiguousarray(values[:, ::-1])


def _values(picture: Image.Image) -> FloatArray:
    """Give channels (C, H, W), top row first."""
    has_alpha = picture.mode in ("LA", "PA", "RGBA") or "transparency" in picture.info
    if picture.mode in ("1", "LA"):
        shown = picture.convert("L")
    elif picture.mode in ("L", "I", "F") or picture.mode.startswith("I;16"):
        shown = picture
    else:
        shown = picture.convert("RGB")
    values = np.atleast_3d(np.asarray(shown, dtype=np.float32)).transpose(2, 0, 1).copy()
    if has_alpha:
        values[:, np.asarray(picture.convert("RGBA"))[..., 3] == 0] = np.nan
    return values


class _Cube(ImageSource):
    """Images along the first axis of one array."""

    is_ordered = True

    def __init__(self, path: Path, array: Any, where: str) -> None:
        _check_cube(array.shape, array.dtype, where)
        self.path = path
        self.array = array
        self.names = [str(number) for number in range(len(array))]

    def _read(self, i: int) -> FloatArray:
        where = f"{self.path}, image {i},"
        try:
            pixels = np.asarray(self.array[i])
        except (OSError, ValueError, RuntimeError) as error:
            raise InputError(f"{where} cannot be read: {error}") from error
        return _channels_first(pixels, where)


class _NumpyCube(_Cube):
    def __init__(self, path: Path) -> None:
        try:
            array = np.load(path, mmap_mode="r", allow_pickle=False)
        except NPY_DAMAGE as error:
            raise InputError(f"{path} is no readable .npy array of numbers: {error}") from error
        if not isinstance(array, np.ndarray):
            raise InputError(f"{path} is an archive (.npz); save its array as .npy")
        super().__init__(path, array, str(path))


class _Hdf5Cube(_Cube):
    """One array, and beside it perhaps columns of equal length."""

    def __init__(self, path: Path, array: h5py.Dataset, columns: dict[str, h5py.Dataset]) -> None:
        super().__init__(path, array, f"{path}, dataset {array.name},")
        self.columns = columns

    def attributes(self, i: int) -> dict[str, Any]:
        self._check_number(i)
        return {name: _json_value(column[i]) for name, column in self.columns.items()}


class _Hdf5Groups(ImageSource):
    """One group per image."""

    is_ordered = False

    def __init__(self, path: Path, parent: h5py.Group, names: list[str]) -> None:
        self.path = path
        self.parent = parent
        self.names = sorted(names, key=_natural)
        if all(_image_of(parent[name]) is None for name in self.names[:10]):
            raise InputError(f"{path} has groups {_few(self.names)}, but no image in them")

    def _read(self, i: int) -> FloatArray:
        where = f"{self.path}, image {i} (group {self.names[i]}),"
        try:
            dataset = _image_of(self.parent[self.names[i]])
            if dataset is None:
                raise InputError(f"{where} must hold exactly one array of pixels")
            _check_pixels(dataset.shape, where)
            pixels = dataset[()]
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"{where} cannot be read: {error}") from error
        return _channels_first(pixels, where)

    def attributes(self, i: int) -> dict[str, Any]:
        self._check_number(i)
        group = self.parent[self.names[i]]
        image = _image_of(group)
        said: dict[str, Any] = dict(group.attrs)
        if image is not None:
            said.update(image.attrs)
        said.update({name: data[()] for name, data in _datasets(group).items() if not data.shape})
        return {name: _json_value(value) for name, value in said.items()}


def _open_hdf5(path: Path) -> ImageSource:
    try:
        return _hdf5_source(path, h5py.File(path, "r"))
    except InputError:
        raise
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        raise InputError(f"{path} is no readable HDF5 file: {error}") from error


def _hdf5_source(path: Path, level: h5py.Group) -> ImageSource:
    """Go down while there is one group and nothing else, then see what lies there."""
    datasets, groups = _datasets(level), _groups(level)
    while not datasets and len(groups) == 1 and _image_of(groups[0]) is None:
        level = groups[0]
        datasets, groups = _datasets(level), _groups(level)
    cubes = [data for data in datasets.values() if len(data.shape) in (3, 4)]
    if len(cubes) == 1:
        columns = {
            name: data for name, data in datasets.items() if data.shape == cubes[0].shape[:1]
        }
        return _Hdf5Cube(path, cubes[0], columns)
    if groups and not cubes:
        return _Hdf5Groups(path, level, [str(group.name).rpartition("/")[2] for group in groups])
    raise InputError(
        f"{path} must hold one array of images or one group per image; "
        f"it has arrays {_few(datasets)} and groups {_few(str(group.name) for group in groups)}"
    )


def _members(group: h5py.Group) -> Iterable[tuple[str, Any]]:
    """Give what lies in the group itself; links to elsewhere are not followed."""
    for name in group:
        if isinstance(group.get(name, getlink=True), h5py.HardLink):
            yield name, group[name]


def _datasets(group: h5py.Group) -> dict[str, h5py.Dataset]:
    return {
        name: member
        for name, member in _members(group)
        if isinstance(member, h5py.Dataset)
        and member.shape is not None
        and not (member.external or member.is_virtual)  # their bytes lie in other files
    }


def _groups(group: h5py.Group) -> list[h5py.Group]:
    return [member for _, member in _members(group) if isinstance(member, h5py.Group)]


def _image_of(group: Any) -> h5py.Dataset | None:
    """Find the array of pixels: the only one, or the one whose name says so."""
    if not isinstance(group, h5py.Group):
        return None
    arrays = {name: data for name, data in _datasets(group).items() if len(data.shape) in (2, 3)}
    if len(arrays) == 1:
        return next(iter(arrays.values()))
    named = [data for name, data in arrays.items() if name.lower() in IMAGE_NAMES]
    return named[0] if len(named) == 1 else None


def _few(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:5]) + (", ..." if len(listed) > 5 else "") or "none"


def _json_value(value: Any) -> Any:
    """Make a JSON value of what HDF5 gives; NaN becomes None."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, np.ndarray):
        return [_json_value(one) for one in value.tolist()]
    if isinstance(value, np.generic):
        return _json_value(value.item())
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return value if isinstance(value, str | int | bool | None) else str(value)
