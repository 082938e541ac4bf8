"""Redirects that stay within the recording."""

from .sessions import prefix_of


def own_location(
    headers: list[tuple[bytes, bytes]], origin: str, host: bytes, session: str
) -> list[tuple[bytes, bytes]]:
    """Turn a `Location` at the upstream's own origin to the proxy that the client spoke to (RFC 9110 section 10.2.2)."""
    start = origin.encode()
    turned = []
    for name, value in headers:
        if name.lower() == b"location":
            if start and value.startswith(start) and value[len(start) : len(start) + 1] in b"/?":
                value = b"http://" + host + prefix_of(session) + value[len(start) :]
            elif value.startswith(b"/") and not value.startswith(b"//"):
                value = prefix_of(session) + value
        turned.append((name, value))
    return turned
