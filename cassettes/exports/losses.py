"""What an export leaves out, in words for a person: what its form never has, and what was counted as this one was written."""

from collections.abc import Iterator
from typing import NamedTuple

from .selection import Lost


class Form(NamedTuple):
    """`lead` opens what is told; `never` is what no file of the form has."""

    lead: str
    never: str = ""


FORMS = {
    "har": Form(
        "HAR has no field for this; `_respool` fields keep it for `respool import`, and other readers pass over it"
    ),
    "jsonl": Form(""),
    "curl": Form("not in the script", "answers, times, credentials, and header lines that the connection makes"),
    "python": Form("not in the script", "answers, times, credentials, and header lines"),
    "pytest": Form(
        "not in the test", "answers but the states and texts that it asserts, times, credentials, and header lines"
    ),
    "html": Form("not in the page"),
    "markdown": Form("not in the text", "header lines, times, and the bytes of requests and answers"),
}
"""By the name of the option. JSON Lines lose nothing. The page of `html` is made by the inspector."""


def told(name: str, lost: Lost) -> Iterator[str]:
    """Lines on what an export in the form `name` left out; none where it is nothing."""
    form = FORMS[name]
    parts = [form.never] if form.never else []
    parts += [f"{what} ({count:,})" for what, count in lost.items() if count]
    if parts:
        yield f"{form.lead}:"
        for part in parts:
            yield f"  {part}"
