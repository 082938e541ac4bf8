"""Recordings made by other tools, read into respool's own words.

`import_files` is all that the rest of the house calls. What is read, what is kept and what is lost is told by
docs/import.md.
"""

from .importer import ImportReport, import_files

__all__ = ["ImportReport", "import_files"]
