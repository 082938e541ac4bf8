"""A cassette in other tools' words. Everything here is made of stored data, so of what was redacted.

Each format is a function that takes an open cassette and yields text; what each keeps is told by docs/export.md.
"""

from collections.abc import Callable, Iterator

from .curl import export_curl
from .har import export_har
from .jsonl import export_jsonl
from .markdown import export_markdown
from .script import export_pytest, export_python
from .selection import Source

__all__ = ["FORMATS", "Export", "Source"]

Export = Callable[..., Iterator[str]]

FORMATS: dict[str, Export] = {
    "har": export_har,
    "jsonl": export_jsonl,
    "curl": export_curl,
    "python": export_python,
    "pytest": export_pytest,
    "markdown": export_markdown,
}
"""By the name of the option."""
