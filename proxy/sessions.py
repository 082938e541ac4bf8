"""Session names in front of the path: `/@NAME/v1/threads` is session NAME, and the rest is the call.

The prefix is respool's own: it is taken off before a call is forwarded, keyed or recorded. Without one the session is
`default`. A name is one path segment here: `[A-Za-z0-9][A-Za-z0-9._~-]*`, 100 characters at most.
"""

import re

DEFAULT = "default"
_PREFIX = re.compile(rb"/@([^/?]*)(?=[/?]|$)")
_NAME = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._~-]{0,99}")


class BadSessionName(ValueError):
    """The prefix is there, but its name is not one."""


def split_session(target: bytes) -> tuple[str, bytes]:
    """The session that a target names and the target below the prefix. Raises BadSessionName."""
    match = _PREFIX.match(target)
    if match is None:
        return DEFAULT, target
    if not _NAME.fullmatch(match[1]):
        raise BadSessionName("a session is named [A-Za-z0-9][A-Za-z0-9._~-]*, 100 characters at most")
    rest = target[match.end() :]
    return match[1].decode("ascii"), rest if rest.startswith(b"/") else b"/" + rest


def prefix_of(session: str) -> bytes:
    """What stands before the path for a session: the inverse of `split_session`."""
    return b"" if session == DEFAULT else b"/@" + session.encode("ascii")
