"""Amounts as people read them: a number with its noun and its verb, a number of bytes."""


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 field`, `2 fields`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def are(number: int) -> str:
    """The verb that goes with so many: `is`, `are`."""
    return "is" if number == 1 else "are"


def size(count: int) -> str:
    """Bytes: `812 bytes`, `31 kB`, `12.5 MB`."""
    if count < 10_000:
        return f"{count} bytes"
    return f"{count / 1e3:,.0f} kB" if count < 10_000_000 else f"{count / 1e6:,.1f} MB"
