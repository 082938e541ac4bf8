"""A cassette in other tools' words. Everything here is made of stored data, so of what was redacted.

Each format is a function that takes an open cassette and yields text; what each keeps is told by docs/export.md. What it
leaves out it counts in the `Lost` that it is given, and `told` puts into words.
"""

from collections.abc import Callable, Iterator

from .curl import export_curl
from .har import export_har
from .jsonl import export_jsonl
from .losses import told
from .markdown import export_markdown
from .script import export_pytest, export_python
from .selection import Lost, Source

__all__ = ["FORMATS", "Export", "Lost", "Source", "told"]

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
