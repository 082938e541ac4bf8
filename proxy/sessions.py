"""Session names in front of the path: `/@NAME/v1/threads` is session NAME, and the rest is the call.

The prefix is respool's own: it is taken off before a call is forwarded, keyed or recorded. Without one the session is
`default`. A name is one path segment here, `[A-Za-z0-9][A-Za-z0-9._/~-]*` with its slashes written `%2F`, 200 characters
at most; no part of it is empty or begins with a dot. (A folder of cassettes takes plain slashes too, see `shelf`.)
"""

import re
from functools import lru_cache

DEFAULT = "default"
_PREFIX = re.compile(rb"/@([^/?]*)(?=[/?]|$)")
_NAME = re.compile(rb"(?!.*/(?:[./]|$))[A-Za-z0-9][A-Za-z0-9._/~-]{0,199}")
_SLASH = re.compile(rb"%2[Ff]")


class BadSessionName(ValueError):
    """The prefix is there, but its name is not one."""


def split_session(target: bytes) -> tuple[str, bytes]:
    """The session that a target names and the target below the prefix. Raises BadSessionName."""
    match = _PREFIX.match(target)
    if match is None:
        return DEFAULT, target
    rest = target[match.end() :]
    return _name(match[1]), rest if rest.startswith(b"/") else b"/" + rest


@lru_cache(maxsize=4096)
def _name(written: bytes) -> str:
    name = _SLASH.sub(b"/", written) if b"%" in written else written
    if not _NAME.fullmatch(name):
        raise BadSessionName(
            "a session is named [A-Za-z0-9][A-Za-z0-9._/~-]* (its slashes as %2F), 200 characters at most, "
            "and no part of it is empty or begins with a dot"
        )
    return name.decode("ascii")


def prefix_of(session: str) -> bytes:
    """What stands before the path for a session: the inverse of `split_session`."""
    return b"" if session == DEFAULT else b"/@" + session.replace("/", "%2F").encode("ascii")
