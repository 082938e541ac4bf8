"""Who may use the control API: one check of every request, before it is looked at which operation it is.

| asked | on the socket | on a TCP port | else |
|---|---|---|---|
| `Host` | `localhost`, `respool` | a name of the port, with the port | 400, 421 |
| `Origin`, `Sec-Fetch-Site` | none: no page may | none: no page may | 403 |
| `Authorization: Bearer TOKEN` | not asked: the file is the user's alone | exactly the token | 401 |
| the method | `GET`, `POST`, `PUT`, `DELETE` | the same | 405 |

No answer has a CORS header. The token is compared in a time that does not depend on where it differs.
"""

import hmac
import os
import secrets

from aiohttp import web

from ...cassettes.errors import UsageError
from ..admission import admit
from ..answer import Answer, error_answer
from ..doors import Doors
from ..health import Health

TOKEN_VARIABLE = "RESPOOL_CONTROL_TOKEN"  # noqa: S105 - the name of a variable
SHORTEST_TOKEN = 16
_METHODS = frozenset({"GET", "POST", "PUT", "DELETE"})
_SOCKET_HOSTS = frozenset({b"localhost", b"respool"})
_OTHER_DOORS = Doors("127.0.0.1", 80, ("localhost", "respool"))
"""For the rest of the checks on a socket, whose `Host` was checked by then."""


class Gate:
    """The gate of one control port; on a socket `doors` and `token` are None."""

    def __init__(self, doors: Doors | None = None, token: str | None = None) -> None:
        self._doors = doors
        self._token = token.encode() if token is not None else None

    def refusal(self, request: web.BaseRequest) -> Answer | None:
        """Why a request is not let in, or None."""
        told: dict[bytes, list[bytes]] = {
            name: [] for name in (b"host", b"origin", b"sec-fetch-site", b"authorization")
        }
        for name, value in request.raw_headers:
            if (lower := name.lower()) in told:
                told[lower].append(value)
        if len(told[b"host"]) != 1:
            return _refuse(400, "the request has no Host, or more than one", "host_missing")
        host = told[b"host"][0].lower()
        local = request.transport.get_extra_info("sockname") if request.transport is not None else None
        known = host in _SOCKET_HOSTS if self._doors is None else self._doors.knows(host, local)
        if not known:
            return _refuse(421, "the Host of the request is none of this control port's names", "host_refused")
        if told[b"origin"] or any(site != b"none" for site in told[b"sec-fetch-site"]):
            return _refuse(403, "no web page may use the control API", "origin_refused")
        if self._token is not None:
            said = told[b"authorization"][0] if len(told[b"authorization"]) == 1 else b""
            scheme, _, token = said.partition(b" ")
            if not hmac.compare_digest(token.strip(), self._token) or scheme.lower() != b"bearer":
                return _refuse(401, "the control API wants `Authorization: Bearer TOKEN`", "token_refused")
        if request.method not in _METHODS:
            return _refuse(405, "the control API takes GET, POST, PUT and DELETE", "method_refused")
        # What else makes a request ambiguous or not for this server is judged as on the data port.
        admitted = admit(request, doors=self._doors or _OTHER_DOORS, mode="control", health=Health)
        return admitted if isinstance(admitted, Answer) else None


def token_of_user() -> tuple[str, bool]:
    """The token: that of the environment, or one drawn by lot, and whether it was drawn. Raises UsageError for a weak one."""
    given = os.environ.get(TOKEN_VARIABLE, "")
    if not given:
        return secrets.token_urlsafe(32), True
    if len(given) < SHORTEST_TOKEN or not given.isascii() or not given.isprintable() or " " in given:
        raise UsageError(
            f"{TOKEN_VARIABLE} is no token",
            f"give {SHORTEST_TOKEN} characters of ASCII at least, no blanks; unset it to have one drawn",
        )
    return given, False


def _refuse(status: int, message: str, code: str) -> Answer:
    return error_answer(status, message, code, keep_alive=False)
