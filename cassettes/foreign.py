"""What a file that is no cassette looks like, so that the refusal can say what to do with it."""

import re

from .errors import CassetteError, DamagedCassetteError
from .format import MAGIC

_IMPORT = "`respool import FILE OUT.cassette` reads recordings of other tools"
_UNPACK = "unpack it first"
_STARTS: tuple[tuple[bytes, str, str], ...] = (
    (b"version https://git-lfs.github.com/spec/", "a Git LFS pointer", "`git lfs pull` fetches the file itself"),
    (b"\x1f\x8b", "gzip", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "zstd", _UNPACK),
    (b"BZh", "bzip2", _UNPACK),
    (b"\xfd7zXZ\x00", "xz", _UNPACK),
    (b"PK\x03\x04", "a zip archive", _UNPACK),
    (b"SQLite format 3\x00", "an SQLite database", ""),
    (b"%PDF-", "a PDF", ""),
    (b"<", "HTML or XML", ""),
)
_HAR = re.compile(rb'\A\s*\{\s*"log"\s*:')
_TNETSTRING = re.compile(rb"\A[0-9]{1,9}:")
_YAML = re.compile(rb"\A(?:---|%YAML|#|[A-Za-z_][\w -]*:(?:\s|\Z)|- )")
_TEXT_MODE = (
    MAGIC.replace(b"\r\n", b"\n"),
    MAGIC.replace(b"\n", b"\r\n"),
    MAGIC.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"),  # as git does it: a line end that has its CR gets no other
)
_DECODED = MAGIC.decode("utf-8", "replace").encode()


def foreign_file(head: bytes, name: str) -> CassetteError:
    """The error for a file whose first bytes (a few hundred suffice) are not a cassette's."""
    if not head:
        return CassetteError(
            f"{name} is empty: no recording was ever written to it", "record again, or restore the file"
        )
    if MAGIC.startswith(head[: len(MAGIC)]):
        return DamagedCassetteError(f"{name} ends inside its first 64 bytes: nothing in it is whole")
    if head.startswith(_TEXT_MODE):
        return DamagedCassetteError(
            f"{name} had its line ends converted, which destroys a binary file",
            "in git, put `*.cassette -text` at the end of .gitattributes (`respool setup git` does), then check it out again",
        )
    if head.startswith(_DECODED):
        return DamagedCassetteError(
            f"{name} was read and written as UTF-8 text, which destroys a binary file", "fetch it again as binary"
        )
    for start, what, hint in _STARTS:
        if head.startswith(start):
            return CassetteError(f"{name} is not a cassette: it looks like {what}", hint)
    if _HAR.match(head):
        what, hint = "HAR", _IMPORT
    elif head.lstrip()[:1] in (b"{", b"["):
        what, hint = "JSON", _IMPORT
    elif _TNETSTRING.match(head):
        what, hint = "mitmproxy flows", _IMPORT
    elif _YAML.match(head):
        what, hint = "YAML", _IMPORT
    elif not head.strip(b"\x00"):
        return DamagedCassetteError(f"{name} holds nothing but zeros: it was lost before it reached the disk")
    else:
        return CassetteError(f"{name} is not a cassette: it is of no kind that respool knows")
    return CassetteError(f"{name} is not a cassette: it looks like {what}", hint)
