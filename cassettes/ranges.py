"""Numbers, durations and times as a filter spells them: each stands for a range, and a comparison for another.

`5xx` is 500 to 599, `2026-01-02` a whole day (UTC), `2s` just that; `>` a range means behind its end, `>=` from its start.
Nothing here looks at a call.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Range = tuple[int, int]
"""From the first number, up to but without the second."""
MOST = 1 << 63
_UNITS = {"us": 1, "µs": 1, "ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000}
_COMPARISONS = (">=", "<=", ">", "<", "=")
_TIMES = (
    ("%Y-%m-%d", timedelta(days=1)),
    ("%Y-%m-%dT%H:%M", timedelta(minutes=1)),
    ("%Y-%m-%dT%H:%M:%S", timedelta(seconds=1)),
)


class BadValue(ValueError):
    """What is wrong with a value, as the end of a sentence."""


Single = Callable[[str], Range]


def ranges(text: str, single: Single, operator: str = ":") -> list[Range]:
    """What `text` stands for: values between `|`, each with a comparison before it, or two with `..` between them."""
    return [_range(part, single, operator) for part in text.split("|")]


def _range(text: str, single: Single, operator: str) -> Range:
    if operator == ":":
        operator = next((sign for sign in _COMPARISONS if text.startswith(sign)), "=")
        text = text.removeprefix(operator)
    first, dots, last = text.partition("..")
    if dots and operator == "=":
        low, high = single(first)[0] if first else 0, single(last)[1] if last else MOST
        if low >= high:
            raise BadValue(f"{text} ends before it begins")
        return low, high
    low, high = single(text)
    return {"=": (low, high), ">=": (low, MOST), "<=": (0, high), ">": (high, MOST), "<": (0, low)}[operator]


def number(text: str) -> Range:
    """A number, such as `17`."""
    if not _digits(text):
        raise BadValue(f"{text or 'nothing'} is no number; give one such as 17, or 10..20")
    return int(text), int(text) + 1


def status(text: str) -> Range:
    """An HTTP status: `404`, `5xx`, or `none` for a call that got no answer."""
    if text == "none":
        return 0, 1
    if len(text) == 3 and text[0] in "12345" and text[1:].lower() == "xx":
        return int(text[0]) * 100, int(text[0]) * 100 + 100
    if len(text) != 3 or not _digits(text):
        raise BadValue(f"{text or 'nothing'} is no status; give one such as 404, 5xx, 400..499 or none")
    return int(text), int(text) + 1


def duration(text: str) -> Range:
    """A duration in microseconds: `2s`, `1.5s`, `50ms`, `2m`."""
    amount = text.rstrip("abcdefghijklmnopqrstuvwxyzµ")
    unit = _UNITS.get(text[len(amount) :])
    whole, dot, rest = amount.partition(".")
    if unit is None or not _digits(whole) or (dot and not _digits(rest)):
        raise BadValue(f"{text or 'nothing'} is no duration; give one with its unit, such as 50ms, 2s or 1.5m")
    us = int(whole) * unit + (int(rest) * unit // 10 ** len(rest) if rest else 0)
    return us, us + 1


def moment(text: str) -> Range:
    """A time in Unix microseconds, UTC: a day `2026-01-02`, or `2026-01-02T03:04`, or with `:05`; `Z` may end it."""
    for form, lasts in _TIMES:
        try:
            begins = datetime.strptime(text.removesuffix("Z"), form).replace(tzinfo=UTC)
            ends = begins + lasts
        except (ValueError, OverflowError):
            continue
        low, high = (round(when.timestamp()) * 1_000_000 for when in (begins, ends))
        return max(low, 0), max(high, 0)
    raise BadValue(f"{text or 'nothing'} is no time; give it (UTC) such as 2026-01-02 or 2026-01-02T03:04:05")


def _digits(text: str) -> bool:
    return 0 < len(text) <= 18 and text.isascii() and text.isdigit()
