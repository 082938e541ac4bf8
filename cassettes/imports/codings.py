"""A body that a recorder kept whole, decoded from its content coding: all of it or not at all.

Here all is at hand, so a body that is cut, damaged, followed by something else or too large is told apart, and can be kept
as it is instead.
"""

from ..coding import CodingError, Decoder


def decoded(coding: str, data: bytes) -> bytes | None:
    """The body that `data` is in `coding` (gzip, deflate, br or zstd); None where it is not, or too large."""
    decoder = Decoder(coding)
    try:
        body = decoder.feed(data)
    except CodingError:
        return None
    return body if decoder.whole else None


def is_plain(coding: str, data: bytes) -> bool:
    """Whether the body is not in the coding that its header names, as recorders leave it that decode what they keep.

    `coding` is empty for one that cannot be undone here.
    """
    if coding == "gzip":
        return not data.startswith(b"\x1f\x8b")
    if coding == "zstd":
        return not data.startswith(b"\x28\xb5\x2f\xfd")
    # Deflate and Brotli have no magic; but what they make of a JSON text is hardly ever UTF-8.
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not (coding in ("deflate", "br") and decoded(coding, data) is not None)
