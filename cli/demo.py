"""`respool demo`: the main job in a few seconds, on a machine without a network or a key."""

import argparse
from pathlib import Path


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "demo",
        help="record from the sandbox, stop it, replay, compare",
        description="Record a conversation from the sandbox, stop it, replay the cassette to the same client and compare "
        "byte for byte. Exit status 0 only if all was equal.",
    )
    parser.add_argument(
        "--cassette",
        type=Path,
        default=Path("demo.cassette"),
        metavar="FILE",
        help="where to leave it (default demo.cassette)",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    import asyncio

    from .demonstration import demonstrate

    return asyncio.run(demonstrate(arguments.cassette))
