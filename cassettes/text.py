"""The one door for foreign text: whatever came from the wire or a cassette passes here before a person sees it.

What comes out holds no character that moves a cursor, starts an escape sequence, reorders a line or hides: each is
shown as ASCII (`\\x1b`, `\\u{202e}`) instead. It is for reading, not for parsing back: a text that spells such an
escape itself comes out as it is. Nothing here knows a terminal, a page or a log; each quotes for itself what this lets
pass.
"""

import re

# Written out, since asking `unicodedata` for every character takes 0.2 s of start-up; a test asks it.
_UNSAFE = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # C0, DEL, C1
    "\xad\u034f\u061c"  # soft hyphen, grapheme joiner, Arabic letter mark
    "\u115f\u1160\u17b4\u17b5"  # Hangul fillers and Khmer inherent vowels: letters without ink
    "\u180b-\u180f"  # Mongolian selectors
    "\u200b-\u200f"  # zero-width space and joiners, direction marks
    "\u2028-\u202e"  # line and paragraph separators, bidirectional embeddings and overrides
    "\u2060-\u206f"  # word joiner, invisible operators, bidirectional isolates
    "\u2800\u3164\uffa0"  # a Braille cell without dots, more Hangul fillers
    "\ud800-\udfff"  # lone surrogates: no encoding takes them
    "\ufe00-\ufe0d"  # variation selectors, less the two that choose between a sign's text and emoji form
    "\ufeff\ufff0-\ufffb"  # byte order mark, annotation controls
    "\U00013430-\U0001345f"  # hieroglyph format controls
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"  # shorthand and musical format controls
    "\U000e0000-\U000e0fff"  # tags and more selectors: whole texts have been hidden in them
    "]"
)
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _shown(match: re.Match[str]) -> str:
    character = match.group()
    code = ord(character)
    return _SHORT.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{{{code:x}}}")


def _shown_but_newlines(match: re.Match[str]) -> str:
    return {"\n": "\n", "\t": "    "}.get(match.group()) or _shown(match)


def safe(text: str | bytes, *, keep_newlines: bool = False) -> str:
    """`text` with every character that could act on a screen, or hide on it, shown as ASCII.

    These are: C0, DEL and C1 controls, bidirectional and other format controls, zero-width and inkless characters,
    tags, line and paragraph separators, lone surrogates, and (of bytes) what is not UTF-8. With `keep_newlines` a line
    feed is kept, CRLF becomes one, and a tab becomes four spaces, so that columns can be counted. Safe text comes out
    unchanged.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", "backslashreplace")
    if text.isascii() and text.isprintable():
        return text
    if keep_newlines:
        return _UNSAFE.sub(_shown_but_newlines, text.replace("\r\n", "\n"))
    return _UNSAFE.sub(_shown, text)


def clip(text: str | bytes, limit: int, *, keep_newlines: bool = False) -> str:
    """`safe(text)`, at most `limit` characters of it, with `…` for the rest. A long text is cut before it is walked."""
    text = text[: limit * 4 + 4] if isinstance(text, bytes) else text[: limit + 1]
    shown = safe(text, keep_newlines=keep_newlines)
    return shown if len(shown) <= limit else shown[: max(limit - 1, 0)] + "…"
