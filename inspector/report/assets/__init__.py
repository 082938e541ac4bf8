"""The files that the page is made of: its frame, style, script and symbols, written by hand and sent as they are.

They name no address, and the script makes no HTML of a string; tests hold both.
"""

from importlib.resources import files


def asset(name: str) -> str:
    """The text of one of the files."""
    return files(__name__).joinpath(name).read_text("utf-8")
