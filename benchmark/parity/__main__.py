"""The command: `python -m benchmark.parity sonique FOLDER`, `python -m benchmark.parity vidmuse FOLDER`."""

import argparse
import sys
from pathlib import Path

import benchmark.parity
from benchmark.parity.comparing import TOLERANCE
from benchmark.parity.sonique import check_sonique
from benchmark.parity.vidmuse import check_vidmuse
from reelscore.errors import ReelscoreError

CHECKS = {
    "sonique": (check_sonique, "U-Net, autoencoder, conditioner and samplers"),
    "vidmuse": (check_vidmuse, "visual side, decoder, loop and windows"),
}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmark.parity", description=benchmark.parity.__doc__)
    models = parser.add_subparsers(dest="model", required=True)
    for model, (_, told) in CHECKS.items():
        models.add_parser(model, help=told).add_argument("folder", type=Path)
    asked = parser.parse_args(arguments)
    check, _ = CHECKS[asked.model]
    try:
        good = check(asked.folder)
    except ReelscoreError as problem:
        print(problem, file=sys.stderr)
        return 1
    print(
        "parity"
        if good
        else f"no parity: an error is above {TOLERANCE:g}, a token differs, or a key or tensor has no place"
    )
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
