"""How foreign text gets into the page: as escaped text, as the value of a quoted attribute, or as inert JSON.

All of it passes `text.safe` first, so nothing hides or reorders a line. No other module of the report quotes for itself.
"""

import html
import json
import re
from typing import Any

from ...cassettes.text import clip

MOST_TEXT = 20_000
"""Characters of one text that are shown."""
MOST_LINE = 300

_ACTING = re.compile("[<>&]")

STATES = {
    "completed": ("good", "ok"),
    "failed": ("bad", "bad"),
    "expired": ("bad", "clock"),
    "cancelled": ("off", "stop"),
    "cancelling": ("off", "stop"),
    "incomplete": ("bad", "half"),
    "requires_action": ("wait", "pause"),
    "in_progress": ("live", "live"),
    "queued": ("off", "ring"),
}
"""A state's colour and symbol. A state is always named in words too."""


def line(text: object, most: int = MOST_LINE) -> str:
    """Foreign text on one line, as HTML; good for a quoted attribute too."""
    return html.escape(clip(str(text), most))


def block(text: str) -> str:
    """Foreign text of many lines, as HTML."""
    shown = html.escape(clip(text, MOST_TEXT, keep_newlines=True))
    left = len(text) - MOST_TEXT
    return shown if left <= 0 else f'{shown}<span class="cut">{left:,} more characters are not in this page</span>'


def inert(value: Any) -> str:
    """JSON for a data block: ASCII, and without the characters by which a block could be left."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return _ACTING.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def symbol(name: str) -> str:
    return f'<svg class="sign" aria-hidden="true"><use href="#s-{name}"/></svg>'


def state(name: str) -> str:
    """A state as a chip: symbol, word and colour."""
    colour, sign = STATES.get(name, ("off", "ring"))
    return f'<span class="state {colour}">{symbol(sign)}{line(name, 40) or "state unknown"}</span>'


def chip(text: str, kind: str = "") -> str:
    return f'<span class="chip{" " + kind if kind else ""}" dir="auto">{line(text)}</span>'


def took(us: int) -> str:
    """A time as people read it: `12 ms`, `8.41 s`, `3 min 02 s`."""
    if us < 1_000:
        return f"{us} µs"
    if us < 999_500:
        return f"{us / 1_000:.3g} ms" if us < 100_000 else f"{us / 1_000:.0f} ms"
    if us < 60_000_000:
        return f"{us / 1_000_000:.3g} s"
    minutes, seconds = divmod(us // 1_000_000, 60)
    return f"{minutes} min {seconds:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"
