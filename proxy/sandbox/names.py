"""Ids in the host's form: a prefix and 24 letters and digits.

Each id is a digest of the seed, of its owner's id and of its number there. Ids inside a thread therefore do not depend on
what other threads do, or on how often a run is polled.
"""

import secrets
from hashlib import blake2b

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_LENGTH = 24


class Names:
    """Makes ids. Equal seeds make equal ids; without a seed nobody can foretell them."""

    def __init__(self, seed: int | None = None) -> None:
        self._key = secrets.token_bytes(16) if seed is None else str(seed).encode()[:64]
        self._counts: dict[str, int] = {}

    def make(self, prefix: str, owner: str, number: int) -> str:
        """The id of the `number`th object with this prefix (`thread_`, `file-`) that belongs to `owner`."""
        value = int.from_bytes(self._digest(f"{prefix}\0{owner}\0{number}", 20), "big")
        letters: list[str] = []
        for _ in range(_LENGTH):
            value, rest = divmod(value, len(_ALPHABET))
            letters.append(_ALPHABET[rest])
        return prefix + "".join(letters)

    def next(self, prefix: str) -> str:
        """The id of the next object with this prefix that belongs to nobody."""
        number = self._counts[prefix] = self._counts.get(prefix, 0) + 1
        return self.make(prefix, "", number)

    def request(self, number: int) -> str:
        """The `x-request-id` of the `number`th call."""
        return "req_" + self._digest(f"request\0{number}", 16).hex()

    def processing_ms(self, number: int) -> int:
        """A plausible `openai-processing-ms` of the `number`th call, always the same for the same seed."""
        return 20 + self._digest(f"processing\0{number}", 1)[0]

    def _digest(self, text: str, size: int) -> bytes:
        return blake2b(text.encode("utf-8", "surrogatepass"), key=self._key, digest_size=size).digest()
