"""Options of the commands that choose calls, or write new cassettes of them: `--filter`, `--shared` and `-o`."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..cassettes.conversation import Recorded
    from ..cassettes.summary import Row


SHARED = "also keep the calls that belong to no thread, such as /assistants and /files"


def add_filter(parser: argparse.ArgumentParser, help_text: str) -> None:
    parser.add_argument("--filter", metavar="EXPR", help=help_text)


def add_output(parser: argparse.ArgumentParser, metavar: str, what: str, *, required: bool = True) -> None:
    parser.add_argument("-o", "--output", type=Path, required=required, metavar=metavar, help=what)
    parser.add_argument("--overwrite", action="store_true", help="replace what is there")


def chosen(text: str | None, recording: "Recorded") -> "Callable[[Row], bool] | None":
    """The test of a recording's calls that an option spells; None without one. Raises FilterError."""
    if text is None:
        return None
    from ..cassettes.filters import Filter, parse

    return Filter(parse(text), recording)
