"""The `skysort` command: the engine without the website."""

import argparse
import os
import sys
from collections.abc import Sequence

from skysort import __version__
from skysort.commands import (
    bench,
    consensus,
    convert,
    inspect,
    map_images,
    quality,
    show,
    simulate,
    synthetic,
    train,
    verify,
    zooniverse,
)
from skysort.errors import SkysortError

__all__ = ["main"]

COMMANDS = (
    train,
    map_images,
    quality,
    show,
    inspect,
    convert,
    consensus,
    simulate,
    bench,
    synthetic,
    verify,
    zooniverse,
)
INTERRUPTED = 130  # what a shell gives for a command that Ctrl-C ended


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        Instead of those of the process.

    Returns
    -------
    int
        0, 1 after an error that the message explains, or 130 after Ctrl-C; argparse exits with 2
        on wrong usage.
    """
    options = _parser().parse_args(arguments)
    try:
        said = options.run(options)
        if said:  # a process that follows another one of its team says nothing
            print(said, flush=True)
    except BrokenPipeError:  # whoever read our words has gone, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nor flush at the exit
        return 1
    except (SkysortError, OSError) as error:
        print(f"skysort: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as interrupt:
        said = str(interrupt) or "stopped; no file was left half written"
        print(f"\nskysort: {said}", file=sys.stderr)
        return INTERRUPTED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="skysort",
        description="Sort a survey of the sky by shape, whatever the rotation.",
        epilog="Example: skysort train cutouts.npy -o map.safetensors --grid 10x10",
    )
    parser.add_argument("--version", action="version", version=f"skysort {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
