"""A trained map in one file: safetensors with a JSON header. Needs no torch.

The only tensor is `weights`, float32 (K, C, H, W). The JSON stands under one metadata key, since
safetensors orders several keys at random and equal maps should be equal files.
"""

import dataclasses
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from skysort import __version__
from skysort.errors import InputError
from skysort.som.config import EpochReport, SOMConfig

__all__ = ["MapState", "load_map", "map_checksum", "save_map"]

FORMAT = "protozoo-map/2"
METADATA_KEY = "protozoo-map"


@dataclass(frozen=True)
class MapState:
    """Everything that a map file holds.

    Attributes
    ----------
    config : SOMConfig
        Settings, with the seed.
    weights : ndarray (K, C, H, W), float32
        Prototypes.
    history : tuple of EpochReport
        One per finished epoch.
    fingerprint : str
        Of the images it was trained on, see `skysort.som.stack.fingerprint`.
    about : mapping of str to str
        Whatever the caller adds, such as survey and recipe.
    code_version : str
        Of skysort, when the map was made.
    """

    config: SOMConfig
    weights: NDArray[np.float32]
    history: tuple[EpochReport, ...] = ()
    fingerprint: str = ""
    about: Mapping[str, str] = field(default_factory=dict)
    code_version: str = __version__


def _header(state: MapState) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "code_version": state.code_version,
        "config": dataclasses.asdict(state.config),
        "history": [dataclasses.asdict(report) for report in state.history],
        "fingerprint": state.fingerprint,
        "about": dict(state.about),
    }


def save_map(path: Path | str, state: MapState) -> None:
    """Write a map; whoever looks finds the old file or the new one, never half of it.

    Parameters
    ----------
    path : path
        The folder must exist; a file of this name is replaced.
    state : MapState
        What to write; equal states give equal files.
    """
    target = Path(path)
    header = json.dumps(_header(state), sort_keys=True)
    content = save({"weights": np.ascontiguousarray(state.weights)}, {METADATA_KEY: header})
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _read(path: Path) -> tuple[dict[str, Any], NDArray[np.float32]]:
    with safe_open(path, framework="numpy") as file:
        header = json.loads((file.metadata() or {})[METADATA_KEY])
        return header, file.get_tensor("weights")


def load_map(path: Path | str) -> MapState:
    """Read a map.

    Parameters
    ----------
    path : path
        A file that `save_map` wrote.

    Returns
    -------
    MapState

    Raises
    ------
    InputError
        If the file is missing, truncated, no map, or of another format version; names the file.
    """
    source = Path(path)
    if not source.is_file():
        raise InputError(f"{source} is no file; expected a map written by skysort")
    try:
        header, weights = _read(source)
    except (SafetensorError, KeyError, ValueError) as error:
        raise InputError(
            f"{source} is no map written by skysort, or it is truncated ({error}); "
            "train the map again or restore the file"
        ) from error
    if header.get("format") != FORMAT:
        raise InputError(
            f"{source} has the format {header.get('format')}, this version reads {FORMAT}"
        )
    settings: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value  # JSON knows no tuples
        for name, value in header["config"].items()
    }
    config = SOMConfig(**settings)
    if weights.shape != (config.grid.n_units, *config.image_shape):
        raise InputError(
            f"{source} holds weights of the shape {weights.shape}, but its header promises "
            f"{(config.grid.n_units, *config.image_shape)}"
        )
    return MapState(
        config=config,
        weights=weights,
        history=tuple(EpochReport(**report) for report in header["history"]),
        fingerprint=header["fingerprint"],
        about=header["about"],
        code_version=header["code_version"],
    )


def map_checksum(path: Path | str) -> str:
    """SHA-256 of a map file, in hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
