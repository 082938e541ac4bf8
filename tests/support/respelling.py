"""The same call in other bytes, as clients of other languages and vendors spell it."""

import json
import random
from typing import Any

BASES = ("", "/v1", "/openai", "/openai/v1", "/api/projects/acme")


def respell_target(target: str, chance: random.Random) -> str:
    """A target without a base path, below another base and with its query in another order and other escapes."""
    path, mark, query = target.partition("?")
    pairs = query.split("&") if query else []
    chance.shuffle(pairs)
    if chance.random() < 0.5:
        pairs = [pair.replace("e", "%65").replace("_", "%5f") for pair in pairs]
    return chance.choice(BASES) + path + mark + "&".join(pairs)


def respell_body(body: bytes, chance: random.Random) -> bytes:
    """A JSON body with other white space, order of keys, escapes and numbers. An empty object may be no body at all."""
    value = json.loads(body or b"{}")
    if value == {} and chance.random() < 0.5:
        return b""
    return _spell(value, chance).encode()


def respell_parts(body: bytes, content_type: str) -> tuple[bytes, str]:
    """A multipart body, and its content type, with another boundary."""
    old = content_type.partition("boundary=")[2]
    return body.replace(old.encode(), b"another-boundary"), content_type.replace(old, "another-boundary")


def respell_headers(headers: dict[str, str], chance: random.Random) -> dict[str, str]:
    """The same headers in another order, their names in other case."""
    pairs = list(headers.items())
    chance.shuffle(pairs)
    return {chance.choice((name.lower(), name.upper(), name.title())): value for name, value in pairs}


def _spell(value: Any, chance: random.Random) -> str:
    space = chance.choice(("", " ", "\n\t"))
    match value:
        case dict():
            pairs = [f"{_spell(name, chance)}{space}:{space}{_spell(item, chance)}" for name, item in value.items()]
            chance.shuffle(pairs)
            return "{" + space + f",{space}".join(pairs) + space + "}"
        case list():
            return "[" + space + f"{space},".join(_spell(item, chance) for item in value) + "]"
        case str():
            text = json.dumps(value, ensure_ascii=chance.random() < 0.5)
            return (
                text.replace("/", "\\/").replace("e", "\\u0065") if chance.random() < 0.5 and "\\" not in text else text
            )
        case int() if not isinstance(value, bool) and chance.random() < 0.5:
            return f"{value}.0"
        case _:
            return json.dumps(value)
