"""A text that is looked for in bodies, case aside, as it stands there or as JSON's escapes spell it.

Undoing escapes costs most, so a body is refused by its bytes wherever these settle it: one without a backslash at once; one
with backslashes when it lacks a stretch of the text that no escape in it can spell. A piece that stands in the cassette once is
looked through once, however many calls say it. What is refused early is refused rightly: `holds` without its short cuts, in the
tests, says the same.
"""

import re

from .interaction import BlobRef, Body

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_SPELT_AS_LETTERS = re.compile("[\\\\\b\f\n\r\t]+")
"""What an escape of two characters may stand for, other than its own second character."""
_NOT_ASCII = re.compile("[^\x00-\x7f]+")
_SPELLS_ASCII = re.compile(r"\\u(?:00[0-7]|00df|0130|0149|017f|01f0|1e9[6-9ae]|212a|fb0[0-6])")
"""Escapes of ASCII characters, and of the others that become some when case is put aside."""
_MOST_VERDICTS = 1 << 16
"""Pieces of which it is remembered whether they hold the text: some 10 MB."""


class Needle:
    """One text. `text` is case-folded here."""

    def __init__(self, text: str) -> None:
        self.text = text.casefold()
        self._bytes = self.text.encode("utf-8", "surrogatepass")
        self._stretches = [part for part in _SPELT_AS_LETTERS.split(self.text) if part]
        self._ascii = [part for stretch in self._stretches for part in _NOT_ASCII.split(stretch) if part]
        self._verdicts: dict[bytes, bool] = {}

    def in_body(self, body: Body) -> bool:
        """Whether the body holds the text. A body of any size is looked through with a window that overlaps."""
        if len(body.parts) == 1:
            return self._in_part(body, body.parts[0])
        overlap = 12 * (len(self.text) + 1)  # bytes of a character that JSON spells as two \uXXXX
        tail = b""
        for piece in body.pieces():
            window = tail + piece
            if self.holds(window):
                return True
            tail = window[-overlap:]
        return False

    def _in_part(self, body: Body, part: bytes | BlobRef) -> bool:
        if isinstance(part, bytes):
            return self.holds(part)
        known = self._verdicts.get(part.digest)
        if known is None:
            if len(self._verdicts) >= _MOST_VERDICTS:
                self._verdicts.clear()
            known = self._verdicts[part.digest] = self.holds(body.piece(part))
        return known

    def holds(self, data: bytes) -> bool:
        """Whether these bytes hold the text."""
        if data.isascii():
            if self._bytes in data.lower():
                return True
            if b"\\" not in data:
                return False
        text = data.decode("utf-8", "replace")
        folded = text.casefold()
        if self.text in folded:
            return True
        return self._may_be_spelt(folded) and self.text in unescaped(text).casefold()

    def _may_be_spelt(self, folded: str) -> bool:
        """Whether escapes in a case-folded text may spell the text: False only where it is certain that they do not."""
        if "\\" not in folded:
            return False
        if "\\u" not in folded:
            wanted = self._stretches
        elif _SPELLS_ASCII.search(folded):
            return True
        else:
            wanted = self._ascii
        # Without its backslashes, an escape that stands for its second character is that character.
        bare = folded.replace("\\", "")
        return all(stretch in bare for stretch in wanted)


def unescaped(text: str) -> str:
    """`text` without JSON's escapes; what is none stays as it is."""
    parts = text.split("\\")
    found = [parts[0]]
    escaped = False  # whether the backslash before this part was itself escaped
    for part in parts[1:]:
        if escaped:
            found.append(part)
            escaped = False
        elif not part:
            found.append("\\")
            escaped = True
        elif part[0] == "u" and len(part) >= 5 and _is_hex(part[1:5]):
            found.append(chr(int(part[1:5], 16)) + part[5:])
        else:
            found.append(_ESCAPES.get(part[0], part[0]) + part[1:])
    # Two halves of one character become one.
    return "".join(found).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _is_hex(text: str) -> bool:
    return all(character in "0123456789abcdefABCDEF" for character in text)
