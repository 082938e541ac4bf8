"""What is asked of any request before it has a meaning: a credential, a body of a bearable size, a form in its parts."""

from collections.abc import Mapping

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import BadHttpMessage, HttpProcessingError

from .calls import Upload
from .errors import ApiError, no_key, too_large, wrong_key

MAX_BODY = 32 << 20
"""Bytes of a request body."""
MAX_PARTS = 100
"""Parts of a form."""

_REFUSED = ("invalid", "sk-invalid")
"""How a key begins that is refused, so that a test can have a 401."""


def check_credential(headers: Mapping[str, str]) -> None:
    """Accept any bearer token and any `api-key`, but for none at all and for those that say that they are invalid."""
    scheme, _, token = headers.get("Authorization", "").strip().partition(" ")
    key = token.strip() if scheme.lower() == "bearer" else ""
    key = key or headers.get("api-key", "").strip()
    if not key:
        raise no_key()
    if key.lower().startswith(_REFUSED):
        raise wrong_key()


async def receive(request: web.Request) -> tuple[bytes, Upload | None]:
    """The body, or what a multipart form held instead. Raises the 413 and 400 for what cannot be taken in."""
    try:
        if request.content_type == "multipart/form-data":
            return b"", await _receive_form(request)
        return await request.read(), None
    except web.HTTPRequestEntityTooLarge:
        raise too_large(MAX_BODY) from None
    except (web.RequestPayloadError, BadHttpMessage, HttpProcessingError, ValueError):
        raise ApiError(400, "We could not read the body of your request.") from None


async def _receive_form(request: web.Request) -> Upload | None:
    """The form, read into memory: aiohttp's own `post()` would write files to the disk."""
    fields: dict[str, str] = {}
    found: tuple[str, str, bytes] | None = None
    taken = parts = 0
    async for part in await request.multipart():
        parts += 1
        if not isinstance(part, BodyPartReader) or parts > MAX_PARTS:
            raise ApiError(400, "We could not parse the form in the body of your request.")
        content = bytearray()
        while chunk := await part.read_chunk():
            taken += len(chunk)
            if taken > MAX_BODY:
                raise too_large(MAX_BODY)
            content += chunk
        if part.name == "file":
            content_type = part.headers.get("Content-Type", "application/octet-stream")
            found = (part.filename or "upload", content_type, bytes(content))
        elif part.name:
            fields[part.name] = content.decode("utf-8", "replace")
    return None if found is None else Upload(*found, fields)
