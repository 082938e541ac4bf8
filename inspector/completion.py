"""Completion for the filter language, from the table of its fields: pure functions from what is typed to what could follow."""

from ..cassettes.conversation import FINAL_STATES
from ..cassettes.fields import BY_NAME, FIELDS, KINDS
from ..cassettes.filters import FilterError, parse
from ..cassettes.operations import OPERATIONS

_VALUES: dict[str, tuple[str, ...]] = {
    "is": tuple(KINDS),
    "op": tuple(operation.name for operation in OPERATIONS),
    "status": (*sorted(FINAL_STATES), "queued", "in_progress", "requires_action"),
    "http": ("2xx", "4xx", "5xx"),
    "method": ("GET", "POST", "DELETE"),
}
_BREAKS = ' ()"'


def completed(text: str) -> str | None:
    """The text with its last word completed; None where nothing is known that it could become."""
    start = max(text.rfind(char) for char in _BREAKS) + 1
    word = text[start:]
    if not word or text.count('"') % 2:
        return None
    name, colon, value = word.partition(":")
    if colon:
        value = value.rpartition("|")[2]
        known: tuple[str, ...] = _VALUES.get(name.lower(), ())
        found = next(
            (each for each in known if value and each.lower().startswith(value.lower()) and each != value), None
        )
        return text[: len(text) - len(value)] + found if found else None
    found = next((field.name for field in FIELDS if field.name.startswith(name.lower()) and name), None)
    return text[:start] + found + ":" if found and not value else None


def advice(text: str) -> tuple[str, ...]:
    """Lines to show below what is typed: what the field at its end means, or what is wrong and at which column."""
    if not text.strip():
        names = " ".join(field.name for field in FIELDS)
        return (f"words look into bodies; fields: {names}; and, or, not, brackets",)
    start = max(text.rfind(char) for char in _BREAKS) + 1
    name = text[start:].replace(">", ":").replace("<", ":").partition(":")[0].lower()
    try:
        parse(text)
    except FilterError as error:
        if name in BY_NAME and text.rstrip().endswith((":", ">", "<", "=")):
            return (_meaning(name),)
        return (error.lines[1], error.message + (f" ({error.hint})" if error.hint else ""))
    return (_meaning(name),) if name in BY_NAME else ()


def _meaning(name: str) -> str:
    field = BY_NAME[name]
    return f"{field.name}: {field.meaning}, such as {field.example}"
