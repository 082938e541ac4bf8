"""A recorded request made ready to be sent again, and as a text that a person can edit. Nothing here is sent, nothing drawn.

A recording holds no credentials, so they come from the environment; what else was taken out cannot be made up: such a request
is refused until somebody has written something in its place.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from ipaddress import ip_address
from urllib.parse import quote, urlsplit

from ..cassettes.errors import UsageError
from ..cassettes.interaction import Body, Headers, Interaction, Request
from ..cassettes.secrets.telling import PUT_IN
from ..cassettes.slots import is_header_slot
from ..cassettes.text import clip

CREDENTIALS = {
    b"authorization": ("OPENAI_API_KEY", "Bearer "),
    b"api-key": ("AZURE_OPENAI_API_KEY", ""),
    b"openai-organization": ("OPENAI_ORG_ID", ""),
    b"openai-project": ("OPENAI_PROJECT_ID", ""),
}
"""Headers of credentials: the variable that has the value, and what stands before it."""
MOST_BODY = 4 << 20
_CONNECTION = frozenset(
    {
        b"host", b"connection", b"content-length", b"transfer-encoding", b"content-encoding", b"keep-alive", b"te", b"trailer",
        b"upgrade", b"expect", b"proxy-connection", b"accept-encoding", b"idempotency-key",
    }
)  # fmt: skip
"""What belongs to the connection, to the form that the body had, or to the first time that it was sent."""
_LINE = re.compile(r"([A-Z]{1,20}) (/[\x21-\x7e]{0,8000})")
_FIELD = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]{0,16000})")


def ready(call: Interaction, environment: Mapping[str, str]) -> Request:
    """The request of a call as it can be sent again. Raises UsageError for one that cannot be."""
    request = call.request
    if call.request_cut or "request" in _shortened(call):
        raise UsageError("this request is not there as a whole, so it cannot be sent again")
    if request.body.length > MOST_BODY:
        raise UsageError(f"a request of more than {MOST_BODY >> 20} MiB is not sent again")
    target = request.target
    if call.session not in {"", "default"}:
        target = b"/@" + quote(call.session, safe="~").encode("ascii") + target
    return Request(request.method, target, _headers(request.headers, environment), request.body)


def _shortened(call: Interaction) -> Mapping[str, object]:
    told = call.extra.get("shortened")
    return told if isinstance(told, dict) else {}


def _headers(headers: Headers, environment: Mapping[str, str]) -> Headers:
    lines: list[tuple[bytes, bytes]] = []
    for name, value in headers:
        low = name.lower()
        if low in _CONNECTION:
            continue
        if low in CREDENTIALS:
            variable, scheme = CREDENTIALS[low]
            if given := _given(variable, environment):
                lines.append((name, (scheme + given).encode()))
        elif not is_header_slot(name) and not PUT_IN.search(value):
            lines.append((name, value))
    return tuple(lines)


def _given(variable: str, environment: Mapping[str, str]) -> str:
    value = environment.get(variable, "")
    return value if value.isascii() and value.isprintable() else ""


def left_out(call: Interaction, environment: Mapping[str, str]) -> list[str]:
    """The variables that would hold the credentials of this call, and do not: it is sent without them."""
    names = dict.fromkeys(name.lower() for name, _ in call.request.headers)
    return [
        variable for name, (variable, _) in CREDENTIALS.items() if name in names and not _given(variable, environment)
    ]


def refuse_placeholders(request: Request) -> None:
    """Raises UsageError for a request in which a placeholder stands for what was taken out."""
    for what, text in (("path", request.target), ("body", request.body.read())):
        if (found := PUT_IN.search(text)) is not None:
            raise UsageError(
                f"a secret was taken out of the {what} of this request, and {clip(found[0], 40)} stands in its place",
                "R opens it in an editor: write there what it should be",
            )


def comparable(call: Interaction) -> Interaction:
    """A call without what belongs to its connection, so that two can be compared."""
    response = call.response
    if response is not None:
        response = replace(response, headers=_bare(response.headers))
    return replace(call, request=replace(call.request, headers=_bare(call.request.headers)), response=response)


def _bare(headers: Headers) -> Headers:
    return tuple(line for line in headers if line[0].lower() not in _CONNECTION and line[0].lower() != b"date")


def here(address: str) -> str:
    """The URL of a data port on this machine, as a proxy tells it; empty for any other. A proxy may lie."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port or 80
        loopback = host == "localhost" or ip_address(host).is_loopback or ip_address(host).is_unspecified
    except ValueError:
        return ""
    if parts.scheme != "http" or not loopback:
        return ""
    if host != "localhost" and ip_address(host).is_unspecified:
        host = "::1" if ":" in host else "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def as_text(request: Request) -> str:
    """The request for an editor. Its credentials are left out: they are put in when it is sent."""
    lines = [f"{request.method} {request.target.decode('ascii', 'backslashreplace')}"]
    lines += [
        f"{name.decode('latin-1')}: {value.decode('latin-1')}"
        for name, value in request.headers
        if name.lower() not in CREDENTIALS
    ]
    body = request.body.read()
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise UsageError("the body of this request is no text, so it cannot be edited", "r sends it as it is") from None
    return "\n".join([*lines, "", text])


def of_text(text: str, original: Request) -> Request:
    """What an editor gave back. Raises UsageError for what is no request any more."""
    head, _, body = text.replace("\r\n", "\n").partition("\n\n")
    first, *lines = head.split("\n")
    match = _LINE.fullmatch(first.strip())
    if match is None:
        raise UsageError("the first line is no METHOD and /path any more, so nothing was sent")
    headers: list[tuple[bytes, bytes]] = []
    for line in lines:
        field = _FIELD.fullmatch(line)
        if field is None:
            raise UsageError(f"{clip(line, 80)} is no header line, so nothing was sent")
        if field[1].lower().encode() not in _CONNECTION:
            headers.append((field[1].encode(), field[2].strip().encode("latin-1", "replace")))
    if not original.body.read().endswith(b"\n"):
        body = body.removesuffix("\n")  # an editor's own
    own = [line for line in original.headers if line[0].lower() in CREDENTIALS]
    return Request(match[1], match[2].encode(), (*headers, *own), Body.of(body.encode("utf-8", "surrogateescape")))
