"""`skysort convert`: this project's files to those of PINK, and back."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from skysort.commands.arguments import Commands, add_force, check_target
from skysort.errors import InputError

if TYPE_CHECKING:
    from skysort.images.pink import Lattice

FITS_MAGIC: Final = b"SIMPLE  ="
NPY_MAGIC: Final = b"\x93NUMPY"
BLOCK: Final = 4096  # images in memory at once


def add(commands: Commands) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "convert",
        help="bring maps, images and mappings to PINK's files, and back",
        description="What SOURCE is, its content says; what TARGET becomes, its ending: .bin is a "
        "file of PINK 2, .safetensors a map, .npy an array, .fits a table, no ending a folder of "
        "shards.",
    )
    parser.add_argument("source", type=Path, metavar="SOURCE")
    parser.add_argument("target", type=Path, metavar="TARGET")
    parser.add_argument(
        "--transforms",
        type=Path,
        metavar="FILE",
        help="PINK's angles and flips, to go into the table of a mapping",
    )
    add_force(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> str:
    """Find out what the source is, and write it as the target."""
    source, target = options.source, options.target
    kind, ending = _kind(source), target.suffix.lower()
    convert = CONVERSIONS.get((kind, ending))
    if convert is None:
        raise InputError(_refusal(source, kind, target))
    if options.transforms is not None and kind != "mapping":
        raise InputError(f"--transforms belongs to a mapping of PINK, and {source} holds {kind}")
    if ending:
        check_target(target, force=options.force)
    elif target.exists():
        raise InputError(f"{target} exists; shards are written into a new folder only")
    return f"{target}: {convert(options)}"


def _kind(source: Path) -> str:
    """Say what a file holds, by its content."""
    from skysort.images import pink

    if source.is_dir():
        return "images"
    if not source.is_file():
        raise InputError(f"{source} does not exist")
    with source.open("rb") as file:
        start = file.read(16)
    if start.startswith(FITS_MAGIC):
        return "a FITS table"
    if start.startswith(NPY_MAGIC):
        return "images"
    found = pink.file_kind(source)
    if found is not None:
        return "a map of PINK" if found == "map" else found
    if start[8:9] == b"{":  # safetensors: the length of the header, and the header in JSON
        return "a map"
    raise InputError(
        f"{source} is nothing that can be converted: neither a map, a .npy cube, a folder of "
        "shards nor a file of PINK 2"
    )


def _refusal(source: Path, kind: str, target: Path) -> str:
    if kind == "a FITS table":
        return (
            f"{source} tells of the best two prototypes of each image, and PINK's files of all; "
            "write them with `skysort map --pink-mapping FILE --pink-transforms FILE`"
        )
    endings = [end or "a folder without an ending" for known, end in CONVERSIONS if known == kind]
    return f"{source} holds {kind}, which becomes {' or '.join(endings)}, not {target.name}"


def _map_to_pink(options: argparse.Namespace) -> str:
    from skysort.images.pink import Lattice, write_neurons
    from skysort.som.checkpoint import load_map

    state = load_map(options.source)
    config = state.config
    if config.topology == "hexagonal":
        raise InputError(
            f"{options.source} is a rectangle of shifted rows, and a hexagonal map of PINK is a "
            "hexagon; only rectangular maps can be converted"
        )
    write_neurons(options.target, state.weights, Lattice(config.rows, config.columns))
    return f"PINK map of width {config.columns} and height {config.rows}; PINK stores no settings"


def _map_from_pink(options: argparse.Namespace) -> str:
    from skysort.images.pink import read_neurons
    from skysort.som.checkpoint import MapState, save_map
    from skysort.som.config import SOMConfig

    neurons = read_neurons(options.source)
    lattice = neurons.lattice
    if lattice.topology == "hexagonal":
        raise InputError(
            f"{options.source} is a hexagon of {lattice.n_units} neurons, which no grid of rows "
            "and columns holds; convert it to .npy to have its neurons"
        )
    _, channels, height, width = neurons.weights.shape
    config = SOMConfig(
        image_shape=(channels, height, width),
        rows=lattice.rows,
        columns=lattice.columns,
        window="square",
    )
    save_map(
        options.target,
        MapState(config=config, weights=neurons.weights, about={"origin": "converted from PINK"}),
    )
    return (
        f"{config.rows} x {config.columns} prototypes of {height} x {width} pixels; PINK stores no "
        f"settings, so these are assumed: {config.n_rotations} rotations, with flips, compared in "
        "a square, edges that do not touch"
    )


def _neurons_to_array(options: argparse.Namespace) -> str:
    from skysort.images.pink import read_neurons

    weights = read_neurons(options.source).weights
    _save_array(options.target, weights)
    return f"array of shape {weights.shape}"


def _images_to_pink(options: argparse.Namespace) -> str:
    from skysort.images.pink import write_images
    from skysort.images.stacks import open_stack

    images = open_stack(options.source)
    write_images(options.target, images)
    return f"{len(images)} images"


def _images_to_array(options: argparse.Namespace) -> str:
    from skysort.images.stacks import open_stack
    from skysort.images.whole_file import write_whole

    images = open_stack(options.source)
    header = {"descr": "<f4", "fortran_order": False, "shape": images.shape}
    with write_whole(options.target) as file:
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, len(images), BLOCK):
            file.write(np.ascontiguousarray(images[start : start + BLOCK], dtype="<f4").data)
    return f"array of shape {images.shape}"


def _images_to_shards(options: argparse.Namespace) -> str:
    from skysort.images.shards import ShardWriter
    from skysort.images.stacks import open_stack

    images = open_stack(options.source)
    about = {"source": options.source.name}
    with ShardWriter(options.target, image_shape=images.image_shape, about=about) as writer:
        for start in range(0, len(images), BLOCK):
            writer.append(images[start : start + BLOCK])
    return f"{len(images)} images in shards"


def _mapping_to_array(options: argparse.Namespace) -> str:
    from skysort.images.pink import read_mapping

    distances = read_mapping(options.source).distances
    _save_array(options.target, distances)
    return f"distances of shape {distances.shape}"


def _mapping_to_table(options: argparse.Namespace) -> str:
    from skysort.commands.assignment_table import AssignmentTable, write_table
    from skysort.images.pink import read_mapping, read_transforms
    from skysort.som.outliers import outlier_ranks, outlier_scores
    from skysort.som.projection import Projection

    mapping = read_mapping(options.source)
    distances, lattice = mapping.distances, mapping.lattice
    if lattice.n_units < 2:
        raise InputError(f"{options.source} has one neuron, and a table names the best two")
    row = np.arange(len(distances))
    best, second = np.argsort(distances, axis=1, kind="stable")[:, :2].T
    angle_rad, flip = np.zeros(len(row), np.float32), np.zeros(len(row), np.bool_)
    if options.transforms is not None:
        transforms = read_transforms(options.transforms)
        _check_same(options, transforms.flip.shape, distances.shape, transforms.lattice, lattice)
        angle_rad, flip = transforms.angle_rad[row, best], transforms.flip[row, best]
    projection = Projection(
        best, second, distances[row, best], distances[row, second], angle_rad, flip
    )
    scores = outlier_scores(projection)
    known = options.transforms is not None
    table = AssignmentTable(
        places=lattice.places(),
        best=best,
        second=second,
        distance=projection.distance,
        second_distance=projection.second_distance,
        outlier_score=scores,
        outlier_rank=outlier_ranks(scores),
        angle_rad=angle_rad if known else None,
        flip=flip if known else None,
    )
    write_table(options.target, table.columns(), about=_about(lattice))
    said = f"assignments of {len(row)} images"
    return said if known else f"{said}, without angle and flip, which --transforms FILE would give"


def _check_same(
    options: argparse.Namespace,
    theirs: tuple[int, ...],
    ours: tuple[int, ...],
    their_lattice: "Lattice",
    lattice: "Lattice",
) -> None:
    if theirs != ours or their_lattice != lattice:
        raise InputError(
            f"{options.transforms} tells of {theirs[0]} images and {theirs[1]} neurons, "
            f"{options.source} of {ours[0]} and {ours[1]}; both must come from one run of PINK"
        )


def _transforms_to_table(options: argparse.Namespace) -> str:
    from skysort.commands.assignment_table import Column, write_table
    from skysort.images.pink import read_transforms

    transforms = read_transforms(options.source)
    degrees = np.degrees(transforms.angle_rad.astype(np.float64)).astype(np.float32)
    columns = [
        Column("index", np.arange(len(degrees)), "number of the image, from 0"),
        Column("angle", degrees, "turn counter-clockwise, row 0 below, after flip", "deg"),
        Column("flip", transforms.flip, "mirror left-right before turning"),
    ]
    write_table(options.target, columns, about=_about(transforms.lattice))
    return f"angles and flips of {degrees.shape[0]} images for {degrees.shape[1]} prototypes each"


def _about(lattice: "Lattice") -> dict[str, str | int]:
    return {
        "MAPROWS": lattice.rows,
        "MAPCOLS": lattice.columns,
        "TOPOLOGY": lattice.topology,
        "ORIGIN": "PINK",
    }


def _save_array(path: Path, array: NDArray[np.float32]) -> None:
    from skysort.images.whole_file import write_whole

    with write_whole(path) as file:
        np.save(file, array, allow_pickle=False)


CONVERSIONS: Final[dict[tuple[str, str], Callable[[argparse.Namespace], str]]] = {
    ("a map", ".bin"): _map_to_pink,
    ("a map of PINK", ".safetensors"): _map_from_pink,
    ("a map of PINK", ".npy"): _neurons_to_array,
    ("images", ".bin"): _images_to_pink,
    ("images", ".npy"): _images_to_array,
    ("images", ""): _images_to_shards,
    ("mapping", ".fits"): _mapping_to_table,
    ("mapping", ".npy"): _mapping_to_array,
    ("transforms", ".fits"): _transforms_to_table,
}
