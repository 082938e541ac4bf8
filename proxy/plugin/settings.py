"""What the plugin was told: for the whole run, and for one test.

Strongest first: the command line; RESPOOL_MODE, RESPOOL_UPSTREAM and RESPOOL_DIR in the environment; the nearest marker;
pytest's ini options `respool_mode`, ...; `[tool.respool.pytest]` in the pyproject.toml of pytest's root folder. So what is
said from outside, in CI say, is sure to hold, whatever the sources say.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from ...cassettes.errors import UsageError
from ...cassettes.text import clip
from .names import cassette_path
from .options import Options

MODES = ("replay", "record", "auto")
OPTIONS = ("mode", "upstream", "dir")
UNPLAYED = ("fail", "allow")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What holds for the whole run. `mode_said`: the command line or the environment names the mode, so no marker does."""

    mode: str
    mode_said: bool
    upstream: str
    folder: Path | None
    """Where all cassettes are; None: beside each test file."""
    defaults: Mapping[str, Any]
    """What the table of pyproject.toml says for every marker."""
    root: Path

    @classmethod
    def read(cls, config: pytest.Config) -> "Settings":
        """Read options, environment and files. Raises pytest.UsageError."""
        table = _table(config.rootpath / "pyproject.toml")
        said = {
            name: config.getoption(f"respool_{name}") or os.environ.get(f"RESPOOL_{name.upper()}") for name in OPTIONS
        }
        tabled = {name: table.pop(name, "") for name in OPTIONS}
        filed = {name: config.getini(f"respool_{name}") or tabled[name] for name in OPTIONS}
        mode = said["mode"] or filed["mode"] or "replay"
        if mode not in MODES:
            raise pytest.UsageError(f"respool: the mode is one of {', '.join(MODES)}, not {mode!r}")
        upstream = str(said["upstream"] or filed["upstream"])
        if mode == "record" and not upstream:
            raise pytest.UsageError("respool: recording needs an upstream: --respool-upstream URL, or `sandbox`")
        folder = None
        if said["dir"]:
            folder = config.invocation_params.dir / str(said["dir"])
        elif filed["dir"]:
            folder = config.rootpath / str(filed["dir"])
        return cls(
            mode=str(mode),
            mode_said=bool(said["mode"]),
            upstream=upstream,
            folder=folder,
            defaults=table,
            root=config.rootpath,
        )

    @property
    def shown_upstream(self) -> str:
        """The upstream without anything secret that somebody may have put into its URL."""
        try:
            parts = urlsplit(self.upstream)
            host = parts.hostname or ""
            return (
                f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}{parts.path}"
                if host
                else self.upstream
            )
        except ValueError:
            return "(an URL that cannot be read)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What one test asks for."""

    nodeid: str
    path: Path
    shown: str
    """The path as people read it: from pytest's root folder, and safe to print."""
    mode: str
    unplayed: str
    options: Options


def wanted(item: pytest.Item, settings: Settings) -> Wanted | None:
    """What the markers of a test ask for; None where it has none. Raises UsageError."""
    markers = list(item.iter_markers("cassette"))
    if not markers:
        return None
    options: dict[str, Any] = dict(settings.defaults)
    name: object = None
    for marker in reversed(markers):  # the nearest one has the last word on each option
        options |= marker.kwargs
        if len(marker.args) > 1:
            raise UsageError("@pytest.mark.cassette takes one name", "options are named, such as unplayed='allow'")
        name = marker.args[0] if marker.args else name
    name = options.pop("name", None) or name
    if name is not None and not isinstance(name, str):
        raise UsageError("the name that @pytest.mark.cassette takes is a string")
    mode = options.pop("mode", None)
    mode = settings.mode if settings.mode_said or mode is None else mode
    path = cassette_path(item, name, folder=settings.folder, root=settings.root)
    return Wanted(
        nodeid=item.nodeid,
        path=path,
        shown=clip(os.path.relpath(path, settings.root), 300),
        mode=_one_of(MODES, "mode", mode),
        unplayed=_one_of(UNPLAYED, "unplayed", options.pop("unplayed", "fail")),
        options=Options.of(options),
    )


def _one_of(allowed: tuple[str, ...], name: str, value: object) -> str:
    if value not in allowed:
        raise UsageError(f"@pytest.mark.cassette({name}={value!r}): it is one of {', '.join(allowed)}")
    return str(value)


def _table(pyproject: Path) -> dict[str, Any]:
    """`[tool.respool.pytest]`, empty where there is none. A file that is no TOML is pytest's to refuse."""
    try:
        text = pyproject.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return {}
    if "respool" not in text:
        return {}
    import tomllib

    try:
        table = tomllib.loads(text).get("tool", {}).get("respool", {}).get("pytest", {})
    except (tomllib.TOMLDecodeError, AttributeError):
        return {}
    if not isinstance(table, dict):
        raise pytest.UsageError(f"respool: tool.respool.pytest in {pyproject} must be a table")
    return dict(table)
