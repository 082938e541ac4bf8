"""What the serving commands share when they are parsed: address options, the ready line and narration."""

import argparse
import sys

from ..cassettes.errors import UsageError
from ..cassettes.text import safe


def narrate(text: str) -> None:
    """One line on stderr. Everything foreign in it is made visible first."""
    try:
        print(safe(text), file=sys.stderr, flush=True)
    except OSError:
        pass  # nobody listens to stderr any more; that is no reason to fail a call


def ready(url: str) -> None:
    """The one line on stdout of a server: the base URL for the client."""
    print(url, flush=True)


def add_address(parser: argparse.ArgumentParser, *, port: int) -> None:
    parser.add_argument(
        "--port",
        type=port_number,
        default=port,
        metavar="N",
        help=f"port to listen on; 0 takes a free one (default {port})",
    )
    parser.add_argument(
        "--host", default="127.0.0.1", metavar="ADDRESS", help="address to listen on (default 127.0.0.1)"
    )


def port_number(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = -1
    if not 0 <= number <= 65535:
        raise UsageError(f"{text!r} is not a port", "ports are 0 to 65535; 0 takes a free one")
    return number
