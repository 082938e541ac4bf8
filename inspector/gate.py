"""Who may look at the inspector in a browser: the one who was given the link, from the page that it opened.

The link works once and gives a cookie; all else, the web socket first of all, is for the cookie alone. Another `Host` than the
address (a name that someone else has point here) and a foreign `Origin` (a page of another site in the same browser) are refused
whatever they bring, and a web socket must name its origin, as each browser does. Tokens last as long as the server. Decisions
only: nothing here reads or sends.
"""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

OPENING = "/open/"
SOCKET = "/ws"
SPENT = "This link was used, and works once. Start respool inspect --web again for another one."
UNKNOWN = "This is for the one who started it: open the link that respool inspect --web printed."


class Verdict(NamedTuple):
    """`status`: 200, go on; 303, the link was right, give the cookie; else refuse, and say `why`."""

    status: int
    why: str = ""


@dataclass
class Gate:
    """The door of one server at `address` (`127.0.0.1:PORT`)."""

    address: str
    token: str
    cookie: str
    used: bool = False

    @classmethod
    def at(cls, address: str) -> "Gate":
        return cls(address, secrets.token_urlsafe(32), secrets.token_urlsafe(32))

    @property
    def link(self) -> str:
        return f"http://{self.address}{OPENING}{self.token}"

    @property
    def cookie_name(self) -> str:
        """With the port in it, since a browser gives a cookie to every port of a host."""
        return f"respool-{self.address.rpartition(':')[2]}"

    @property
    def headers(self) -> dict[str, str]:
        """What each answer has. textual-serve's page has scripts and styles in it."""
        return {
            "Cache-Control": "no-store",
            "Content-Security-Policy": f"default-src 'self'; connect-src 'self' ws://{self.address}; "
            "script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }

    def judge(self, method: str, path: str, headers: Mapping[str, str], cookies: Mapping[str, str]) -> Verdict:
        """What is to be done with a request. The right link is spent by it."""
        if headers.get("Host", "") != self.address:
            return Verdict(421, f"This is http://{self.address} and nothing else.")
        origin = headers.get("Origin")
        if origin is not None and origin != f"http://{self.address}":
            return Verdict(403, "A page of another site asked for this.")
        if method not in {"GET", "HEAD"}:
            return Verdict(405, "There is nothing to change here.")
        if path.startswith(OPENING):
            return self._opened(method, path.removeprefix(OPENING))
        if not _same(cookies.get(self.cookie_name, ""), self.cookie):
            return Verdict(403, UNKNOWN)
        if path == SOCKET and origin is None:
            return Verdict(403, "A web socket must say which page opened it.")
        return Verdict(200)

    def _opened(self, method: str, token: str) -> Verdict:
        if not _same(token, self.token):
            return Verdict(403, UNKNOWN)
        if self.used:
            return Verdict(403, SPENT)
        if method != "GET":  # a look ahead must not spend it
            return Verdict(405, "Open the link with GET.")
        self.used = True
        return Verdict(303)


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), wanted.encode())
