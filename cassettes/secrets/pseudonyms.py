"""What stands in place of a secret: the same for the same secret, and nothing that it could be told from.

`rsp_<class>_<16 characters>`: a keyed digest (HMAC-SHA256, base32, the first 80 bits). The key is in a file of 32 bytes that only
its owner can read, outside every cassette, made when it is first needed: RESPOOL_KEY_FILE, or the file that the project's
settings name, or `respool/key` in XDG_CONFIG_HOME (`~/.config`). Who has a cassette and no key can replay it: keys of requests
hold no pseudonym (`finder.canonical`).
"""

import hmac
import os
import re
import stat
from base64 import b32encode
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from ..errors import UsageError
from ..file_names import file_named, home

KEY_BYTES = 32


class Pseudonyms:
    """A `finder.Replacer` with a key."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._made = lru_cache(maxsize=4096)(self._make)

    def __call__(self, kind: str, value: bytes) -> bytes:
        value = _plain(value)
        return self._made(kind, value) if len(value) <= 512 else self._make(kind, value)

    def _make(self, kind: str, value: bytes) -> bytes:
        digest = hmac.digest(self._key, kind.encode("ascii") + b"\0" + value, "sha256")
        return b"rsp_%s_%s" % (kind.encode("ascii"), b32encode(digest[:10]).lower())


_ELSEWHERE = "name another file in RESPOOL_KEY_FILE, or `key-file` in [tool.respool]"
_ESCAPED = re.compile(rb"\\{1,7}u00([0-9A-Fa-f]{2})|%([0-9A-Fa-f]{2})|\\{1,7}(?=/)")


def _plain(value: bytes) -> bytes:
    """The value as it is, however JSON or percent-encoding spelled it: one secret has one pseudonym."""
    if b"\\" not in value and b"%" not in value:
        return value
    return _ESCAPED.sub(lambda match: bytes.fromhex((match[1] or match[2] or b"").decode("ascii")), value)


def key_path(environment: Mapping[str, str], setting: str = "") -> Path:
    """Where the key is. Raises UsageError where the name is none."""
    try:
        if named := environment.get("RESPOOL_KEY_FILE") or setting:
            return file_named(named)
        folder = environment.get("XDG_CONFIG_HOME") or ""
        return (Path(folder) if Path(folder).is_absolute() else home() / ".config") / "respool" / "key"
    except UsageError as error:
        raise UsageError(f"the key of the pseudonyms: {error.message}", _ELSEWHERE) from None


def read_key(path: Path) -> bytes:
    """The key at `path`, made there if there is none. Raises UsageError, also for a file that others can read."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _make(path)
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode) or found.st_mode & 0o077:
                raise UsageError(
                    f"the key of the pseudonyms, {path}, must be a file of its owner's alone",
                    f"chmod 600, or {_ELSEWHERE}",
                )
            key = os.read(descriptor, KEY_BYTES + 1)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise UsageError(f"the key of the pseudonyms, {path}, cannot be had: {error.strerror}", _ELSEWHERE) from error
    if len(key) != KEY_BYTES:
        raise UsageError(f"{path} is no key of respool: it has not {KEY_BYTES} bytes", _ELSEWHERE)
    return key


def _make(path: Path) -> None:
    """A new key, whole or not at all, where there is none: two that begin at once agree on one."""
    if os.path.lexists(path):
        return
    draft = path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        try:
            os.write(descriptor, os.urandom(KEY_BYTES))
        finally:
            os.close(descriptor)
        try:
            os.link(draft, path)
        except FileExistsError:
            return
    finally:
        draft.unlink()
