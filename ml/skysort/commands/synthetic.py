"""`skysort synthetic`: a small survey with known truth."""

import argparse
from pathlib import Path

from skysort.commands.arguments import Commands, whole_number

DEFAULT_SEED = 20261123


def add(commands: Commands) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "synthetic",
        help="write a small radio survey with known truth",
        description="Write FITS mosaics, sources.csv and truth.csv. Equal seeds give equal files.",
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="made if need be")
    parser.add_argument(
        "--seed", type=whole_number, default=DEFAULT_SEED, help="0 or more (default: %(default)s)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> str:
    """Write the survey."""
    from skysort.synthetic import make_survey

    n_sources = make_survey(options.folder, seed=options.seed)
    return f"{options.folder}: {n_sources} sources, seed {options.seed}"
