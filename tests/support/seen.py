"""What a reader sees of an SVG that Rich or Textual made: each row's texts with their styles, without fonts, names and places."""

import html
import re
from collections import defaultdict

_STYLE = re.compile(r"\.[\w-]+-(r\d+) \{([^}]*)\}")
_TEXT = re.compile(r'<text class="[\w-]+-(r\d+)" x="([\d.]+)" y="([\d.]+)"[^>]*>(.*?)</text>', re.DOTALL)
_OF_ONE_RUN = (
    (re.compile(r"\b(thread|run|msg|step|call|asst|file)[_-](?:[A-Za-z0-9]{12,}|[A-Za-z0-9]+…[A-Za-z0-9]*)"), r"\1_ID"),
    (re.compile(r"\d[\d.,:]*(?: ?(?:µs|ms|s|[KM]?B)\b)?"), "#"),
    (re.compile(r"#(?:(?:\.\.|–|-|\s)+#)+"), "#"),
    (re.compile(r"[█▒▓░•·]+(?:\s*[█▒▓░•·]+)*"), " "),
    (re.compile(r"─+"), "─"),
    (re.compile(r"\s+"), " "),
)
"""Of a run of the demo: its ids, its numbers and times, and bars that are as long as these."""


def seen(svg: str) -> list[list[tuple[str, str]]]:
    """The rows from above, of each the texts from the left, with the style of each: colours and weights."""
    styles = {name: re.sub(r"\s+", "", said) for name, said in _STYLE.findall(svg)}
    rows: dict[float, list[tuple[float, str, str]]] = defaultdict(list)
    for name, x, y, text in _TEXT.findall(svg):
        rows[float(y)].append((float(x), html.unescape(text).replace("\xa0", " "), styles.get(name, "")))
    return [[(text, style) for _, text, style in sorted(rows[y])] for y in sorted(rows)]


def lasting(rows: list[list[tuple[str, str]]]) -> list[list[tuple[str, str]]]:
    """The same without what is another in each run."""
    return [[(told, style) for text, style in row if (told := _lasting(text))] for row in rows]


def _lasting(text: str) -> str:
    for pattern, sign in _OF_ONE_RUN:
        text = pattern.sub(sign, text)
    return text.strip()
