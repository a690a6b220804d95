"""The `skysort` command: the engine without the website."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from skysort import __version__
from skysort.errors import SkysortError
from skysort.images.shards import ShardReader
from skysort.som.checkpoint import MapState, load_map, map_checksum
from skysort.synthetic import make_survey

__all__ = ["main"]

DEFAULT_SEED = 20261123


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        Instead of those of the process.

    Returns
    -------
    int
        0, or 1 after an error that the message explains; argparse exits with 2 on wrong usage.
    """
    options = _parser().parse_args(arguments)
    try:
        print(options.run(options))
    except (SkysortError, OSError) as error:
        print(f"skysort: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="skysort",
        description="Sort a survey of the sky by shape, whatever the rotation.",
        epilog="Example: skysort synthetic my-survey --seed 7",
    )
    parser.add_argument("--version", action="version", version=f"skysort {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    synthetic = commands.add_parser(
        "synthetic",
        help="write a small radio survey with known truth",
        description="Write FITS mosaics, sources.csv and truth.csv. Equal seeds give equal files.",
    )
    synthetic.add_argument("folder", type=Path, metavar="FOLDER", help="made if need be")
    synthetic.add_argument(
        "--seed", type=_seed, default=DEFAULT_SEED, help="0 or more (default: %(default)s)"
    )
    synthetic.set_defaults(run=_synthetic)

    inspect = commands.add_parser(
        "inspect",
        help="print what a map file says about itself",
        description="Print a map's settings, origin and quality after each epoch.",
    )
    inspect.add_argument("map", type=Path, metavar="MAP", help="a map.safetensors file")
    inspect.set_defaults(run=_inspect)

    verify = commands.add_parser(
        "verify",
        help="compare a folder of shards with the checksums of its manifest",
        description="Read every shard and say whether all pixels are as they were written.",
    )
    verify.add_argument("folder", type=Path, metavar="FOLDER", help="holds a manifest.json")
    verify.set_defaults(run=_verify)
    return parser


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"must be a whole number, 0 or more, got {text}")
    return int(text)


def _synthetic(options: argparse.Namespace) -> str:
    n_sources = make_survey(options.folder, seed=options.seed)
    return f"{options.folder}: {n_sources} sources, seed {options.seed}"


def _inspect(options: argparse.Namespace) -> str:
    state = load_map(options.map)
    facts = {**_facts(state), "sha256": map_checksum(options.map)}
    width = max(map(len, facts))
    lines = [f"{name:{width}}  {value}" for name, value in facts.items()]
    return "\n".join([*lines, "", *_history(state)])


def _verify(options: argparse.Namespace) -> str:
    reader = ShardReader(options.folder)
    reader.verify()
    return f"{options.folder}: {reader.n_images} images, all as the manifest says"


def _facts(state: MapState) -> dict[str, str]:
    config = state.config
    channels, height, width = config.image_shape
    edges = "periodic" if config.periodic else "with edges"
    return {
        "map": f"{config.rows} x {config.columns} prototypes, {config.topology}, {edges}",
        "images": f"{channels} x {height} x {width} pixels, compared in a {config.window}",
        "angles": f"{config.n_rotations}, {'with' if config.use_flip else 'without'} flips",
        "training": f"{config.rule} rule, {len(state.history)} of {config.epochs} epochs, "
        f"seed {config.seed}",
        "data": state.fingerprint,
        "skysort": state.code_version,
        **state.about,
    }


def _history(state: MapState) -> list[str]:
    rows = [
        f"{report.epoch:5}  {report.sigma:6.2f}  {report.quantization_error:18.4f}  "
        f"{report.topographic_error:17.4f}"
        for report in state.history
    ]
    return ["epoch   sigma  quantization error  topographic error", *rows]


if __name__ == "__main__":
    sys.exit(main())
