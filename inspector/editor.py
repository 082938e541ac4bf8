"""The editor of the environment (`VISUAL`, `EDITOR`), with a text in a file for the user alone, which is gone afterwards."""

import os
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from textual.app import App, SuspendNotSupported

from ..cassettes.errors import UsageError
from ..cassettes.text import clip


def edited(app: App[Any], name: str, text: str) -> tuple[str, str]:
    """Give the terminal to the editor for as long as it takes.

    `name` is that of the file. Returns what the file says then, and the editor's name in safe words. Raises UsageError where
    there is no editor or no terminal, or where it did not end well.
    """
    said = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        command = shlex.split(said)
    except ValueError as error:
        raise UsageError(f"{clip(said, 80)} is no command: {error}") from None
    shown = clip(command[0], 80)
    failed, status = "", 0
    with tempfile.TemporaryDirectory(prefix="respool-") as folder:
        path = Path(folder) / name
        path.touch(0o600)
        path.write_text(text, encoding="utf-8", errors="surrogateescape")
        try:
            with app.suspend():
                try:  # in here: Textual does not take the terminal back from what raises
                    status = subprocess.run([*command, str(path)], check=False).returncode  # noqa: S603 - the user's own
                except OSError as error:
                    failed = f"{shown} cannot be started: {error.strerror}"
        except SuspendNotSupported:
            failed = "an editor can be opened from a terminal alone"
        app.refresh()
        if failed or status:
            raise UsageError(failed or f"{shown} ended with {status}")
        return path.read_text(encoding="utf-8", errors="surrogateescape"), shown
