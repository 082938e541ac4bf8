"""Secrets made by lot, of many kinds, and the places of a call that one can stand in.

`KINDS` gives for each kind what makes one; a kind that only its name betrays has that name in it. `PLACES` puts one and its name
into a call; what comes back is a request and a response as they were on the wire, decoded.
"""

import base64
import json
import random
import string
from collections.abc import Callable, Iterator
from itertools import pairwise
from urllib.parse import quote

from respool.cassettes.interaction import Body, Request, Response

ALNUM = string.ascii_letters + string.digits
Make = Callable[[random.Random], str]


def word(rng: random.Random, length: int, letters: str = ALNUM) -> str:
    """A word by lot that has a digit, a small and a large letter as far as `letters` has them."""
    made = [rng.choice(letters) for _ in range(length)]
    for place, group in enumerate((string.digits, string.ascii_lowercase, string.ascii_uppercase)):
        found = [sign for sign in letters if sign in group]
        if found:
            made[4 + 2 * place] = rng.choice(found)
    return "".join(made)


def _hex(rng: random.Random) -> str:
    return word(rng, 32, "0123456789abcdef")


def _jwt(rng: random.Random) -> str:
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').decode().rstrip("=")
    claims = (
        base64.urlsafe_b64encode(json.dumps({"sub": word(rng, 12), "n": rng.random()}).encode()).decode().rstrip("=")
    )
    return f"{head}.{claims}.{word(rng, 43)}"


KINDS: dict[str, tuple[str, Make]] = {
    "openai": ("", lambda rng: "sk-" + word(rng, 48)),
    "openai infix": ("", lambda rng: "sk-" + word(rng, 20) + "T3BlbkFJ" + word(rng, 20)),
    "openai project": ("", lambda rng: "sk-proj-" + word(rng, 100, ALNUM + "_-")),
    "openai service": ("", lambda rng: "sk-svcacct-" + word(rng, 60)),
    "openai admin": ("", lambda rng: "sk-admin-" + word(rng, 60)),
    "openai session": ("", lambda rng: "sess-" + word(rng, 40)),
    "anthropic": ("", lambda rng: "sk-ant-api03-" + word(rng, 90) + "AA"),
    "azure 32 hex": ("api-key", _hex),
    "azure 84": ("", lambda rng: word(rng, 52) + "JQQJ99" + word(rng, 26)),
    "azure storage": ("AccountKey", lambda rng: word(rng, 86, ALNUM + "+/") + "=="),
    "azure bus": ("SharedAccessKey", lambda rng: word(rng, 43) + "="),
    "azure sas": ("", lambda rng: f"https://x.blob.example/c?sv=2024-11-04&sig={word(rng, 43)}%3D"),
    "aws id": ("", lambda rng: "AKIA" + word(rng, 16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")),
    "aws short": ("", lambda rng: "ASIA" + word(rng, 16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")),
    "aws secret": ("aws_secret_access_key", lambda rng: word(rng, 40, ALNUM + "+/")),
    "gcp": ("", lambda rng: "AIza" + word(rng, 35)),
    "github personal": ("", lambda rng: "ghp_" + word(rng, 36)),
    "github oauth": ("", lambda rng: "gho_" + word(rng, 36)),
    "github user": ("", lambda rng: "ghu_" + word(rng, 36)),
    "github server": ("", lambda rng: "ghs_" + word(rng, 36)),
    "github refresh": ("", lambda rng: "ghr_" + word(rng, 76)),
    "github fine": ("", lambda rng: "github_pat_" + word(rng, 22) + "_" + word(rng, 59)),
    "gitlab": ("", lambda rng: "glpat-" + word(rng, 20)),
    "slack": ("", lambda rng: f"xoxb-{rng.randrange(10**11, 10**12)}-{rng.randrange(10**11, 10**12)}-{word(rng, 24)}"),
    "slack webhook": (
        "",
        lambda rng: f"https://hooks.slack.com/services/T{word(rng, 9)}/B{word(rng, 9)}/{word(rng, 24)}",
    ),
    "stripe": ("", lambda rng: "sk_live_" + word(rng, 24)),
    "stripe restricted": ("", lambda rng: "rk_test_" + word(rng, 24)),
    "hugging face": ("", lambda rng: "hf_" + word(rng, 34)),
    "npm": ("", lambda rng: "npm_" + word(rng, 36)),
    "pypi": ("", lambda rng: "pypi-AgEIcHlwaS5vcmc" + word(rng, 60)),
    "azure storage signed": ("", lambda rng: word(rng, 76, ALNUM + "+/") + "+ASt" + word(rng, 9)[:6] + "=="),
    "azure search": ("", lambda rng: word(rng, 42) + "AzSeC" + word(rng, 9)[:5]),
    "azure client secret": ("", lambda rng: word(rng, 9)[:3] + "8Q~" + word(rng, 34)),
    "aws bedrock": ("", lambda rng: "ABSK" + word(rng, 80)),
    "gcp refresh": ("", lambda rng: "1//0" + word(rng, 90)),
    "gitlab job": ("", lambda rng: "glcbt-64_" + word(rng, 20)),
    "slack client": ("", lambda rng: f"xoxc-{rng.randrange(10**11, 10**12)}-{word(rng, 40)}"),
    "groq": ("", lambda rng: "gsk_" + word(rng, 52)),
    "sendgrid": ("", lambda rng: f"SG.{word(rng, 22)}.{word(rng, 43)}"),
    "vault": ("", lambda rng: "hvs." + word(rng, 90)),
    "encrypted token": (
        "",
        lambda rng: f"eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..{word(rng, 16)}.{word(rng, 60)}.{word(rng, 22)}",
    ),
    "url token": ("", lambda rng: f"https://{word(rng, 24)}@git.example/a.git"),
    "token in a path": ("", lambda rng: f"https://h.example/v1/token/{word(rng, 30)}"),
    "database password": ("DB_PASS", lambda rng: word(rng, 14)),
    "auth of a registry": ("auth", lambda rng: base64.b64encode(b"me:" + word(rng, 16).encode()).decode().rstrip("=")),
    "jwt": ("", _jwt),
    "url password": ("", lambda rng: f"postgres://app:{word(rng, 16)}@db.example/main"),
    "password": ("password", lambda rng: word(rng, 14)),
    "password with a sign": ("password", lambda rng: rng.choice("+/") + word(rng, 14)),
    "client secret": ("client_secret", lambda rng: word(rng, 32)),
    "bearer": ("", lambda rng: "Bearer " + word(rng, 48)),
    "access token": ("access_token", lambda rng: word(rng, 40)),
}
"""The name that betrays a kind (empty: its form does), and what makes one."""


def core(secret: str) -> bytes:
    """The part of a secret that must not be found: of an address, its secret part."""
    if "hooks.slack" in secret:
        return secret.rpartition("/")[2].encode()
    if "sig=" in secret:
        return secret.partition("sig=")[2].removesuffix("%3D").encode()
    if "/token/" in secret:
        return secret.rpartition("/")[2].encode()
    if secret.startswith("https://"):
        return secret.removeprefix("https://").partition("@")[0].encode()
    if "://" in secret:
        return secret.split(":")[2].partition("@")[0].encode()
    return (
        secret.rpartition(".")[2].encode()
        if secret.startswith("eyJ")
        else secret.removeprefix("Bearer ").rstrip("=").encode()
    )


JSON_TYPE = ((b"Content-Type", b"application/json"),)
THREAD = b'{"id": "thread_abc123DEF456ghi789JKL012", "object": "thread"}'
Call = tuple[Request, Response]


def _call(
    body: bytes = b"", answer: bytes = THREAD, *, target: bytes = b"/v1/threads", headers=JSON_TYPE, status: int = 200
) -> Call:
    return Request("POST", target, headers, Body.of(body)), Response(status, b"", JSON_TYPE, Body.of(answer))


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _said(name: str, secret: str) -> str:
    """The secret in a sentence of a person or a tool, beside its name where it needs one."""
    return f"here it is: {name}={secret} ok?" if name else f"use {secret} now"


def _member(name: str, secret: str) -> dict[str, str]:
    return {name or "note": secret}


def event(delta: dict[str, object], name: str = "thread.message.delta") -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + _json(delta) + b"\n\n"


def streamed(text: str, cuts: list[int]) -> bytes:
    """A message streamed in the pieces that `cuts` make of its text, another one between them."""
    edges = [0, *cuts, len(text)]
    out = []
    for start, end in pairwise(edges):
        for index, piece in ((0, text[start:end]), (1, "unrelated ")):
            content = [{"index": index, "type": "text", "text": {"value": piece}}]
            out.append(event({"id": "msg_1", "object": "thread.message.delta", "delta": {"content": content}}))
    return b"".join(out) + b"event: done\ndata: [DONE]\n\n"


def streamed_arguments(text: str, cuts: list[int]) -> bytes:
    edges = [0, *cuts, len(text)]
    out = []
    for start, end in pairwise(edges):
        calls = [{"index": 0, "type": "function", "function": {"arguments": text[start:end]}}]
        details = {"type": "tool_calls", "tool_calls": calls}
        out.append(event({"id": "step_1", "delta": {"step_details": details}}, "thread.run.step.delta"))
    return b"".join(out)


def streamed_by_turns(text: str, step: int) -> bytes:
    """Arguments of a tool in pieces of `step`, in some events beside those of another call."""
    out = []
    for number, start in enumerate(range(0, len(text), step)):
        pieces = [(0, text[start : start + step]), (1, "unrelated ")][: 1 + number % 2]
        calls = [{"index": index, "type": "function", "function": {"arguments": piece}} for index, piece in pieces]
        out.append(event({"id": "step_1", "delta": {"step_details": {"tool_calls": calls}}}))
    return b"".join(out)


def in_lines(text: str, step: int, prefix: bytes = b"", end: bytes = b"\n") -> bytes:
    """A text in pieces of `step`, an object a line, each with an id of its own."""
    pieces = [text[start : start + step] for start in range(0, len(text), step)]
    return b"".join(prefix + _json({"id": f"e{n}", "delta": {"value": piece}}) + end for n, piece in enumerate(pieces))


EVENTS = (b"Content-Type", b"text/event-stream")


def _stream(data: bytes) -> Call:
    return Request("POST", b"/v1/threads/runs"), Response(200, b"", (EVENTS,), Body.of(data))


def _parts(name: str, secret: str) -> Call:
    body = f'--B\r\nContent-Disposition: form-data; name="{name or "note"}"\r\n\r\n{secret}\r\n--B--\r\n'.encode()
    return _call(body, headers=((b"Content-Type", b"multipart/form-data; boundary=B"),))


def _base64(shift: int) -> Callable[[str, str], Call]:
    def place(name: str, secret: str) -> Call:
        said = b"x" * shift + b"text " + _said(name, secret).encode() + b" and more of it"
        return _call(_json({"data": base64.b64encode(said).decode()}))

    return place


def _nested(name: str, secret: str, depth: int) -> str:
    value: object = _member(name, secret)
    for _ in range(depth):
        value = {"arguments": json.dumps(value)}
    return json.dumps(value)


PLACES: dict[str, Callable[[str, str], Call]] = {
    "request header": lambda name, secret: _call(
        headers=((f"X-{name or 'Note'}".encode(), secret.encode()), *JSON_TYPE)
    ),
    "response header": lambda name, secret: (
        Request("GET", b"/v1/threads/t"),
        Response(200, b"", ((f"X-{name or 'Note'}".encode(), secret.encode()),)),
    ),
    "query": lambda name, secret: _call(target=f"/v1/threads?{name or 'q'}={quote(secret, safe='')}".encode()),
    "path": lambda name, secret: _call(
        target=f"/v1/threads/{quote(secret, safe='')}/messages{name and '?' + name + '=' + quote(secret, safe='')}".encode()
    ),
    "form": lambda name, secret: _call(
        f"a=1&{name or 'q'}={quote(secret, safe='')}&b=2".encode(),
        headers=((b"Content-Type", b"application/x-www-form-urlencoded"),),
    ),
    "json value": lambda name, secret: _call(_json({"metadata": _member(name, secret)})),
    "deep json": lambda name, secret: _call(_json({"a": [{"b": {"c": [1, {"d": _member(name, secret)}]}}]})),
    "answer": lambda name, secret: _call(answer=_json({"id": "run_1", "metadata": _member(name, secret)})),
    "message": lambda name, secret: _call(_json({"role": "user", "content": _said(name, secret)})),
    "several lines": lambda name, secret: _call(
        _json({"role": "user", "content": f"a\n{name and name + '='}{secret}\nb"})
    ),
    "json in json": lambda name, secret: _call(_nested(name, secret, 1).encode()),
    "json in json in json": lambda name, secret: _call(_nested(name, secret, 2).encode()),
    "four deep": lambda name, secret: _call(_nested(name, secret, 3).encode()),
    "tool output": lambda name, secret: _call(
        _json({"tool_outputs": [{"tool_call_id": "call_1", "output": json.dumps(_member(name, secret), indent=1)}]})
    ),
    "error body": lambda name, secret: _call(answer=_json({"error": {"message": _said(name, secret)}}), status=401),
    "plain text": lambda name, secret: _call(_said(name, secret).encode(), headers=((b"Content-Type", b"text/plain"),)),
    "malformed json": lambda name, secret: _call(_json(_member(name, secret))[:-1] + b", oops"),
    "multipart": _parts,
    "base64 at 0": _base64(0),
    "base64 at 1": _base64(1),
    "base64 at 2": _base64(2),
    "stream in one": lambda name, secret: _stream(streamed(_said(name, secret), [])),
    "stream letter by letter": lambda name, secret: _stream(
        streamed(_said(name, secret), list(range(1, len(_said(name, secret)))))
    ),
    "arguments in threes": lambda name, secret: _stream(
        streamed_arguments(_nested(name, secret, 0), list(range(3, len(_nested(name, secret, 0)), 3)))
    ),
    "arguments by turns": lambda name, secret: _stream(streamed_by_turns(_nested(name, secret, 0), 3)),
    "stream of other ids": lambda name, secret: _stream(in_lines(_said(name, secret), 3, b"data: ", b"\n\n")),
    "stream of base64": lambda name, secret: _stream(
        streamed_arguments(
            coded := base64.b64encode(_json({"n": 1, **_member(name, secret), "z": "and more"})).decode(),
            list(range(3, len(coded), 3)),
        )
    ),
    "lines of json": lambda name, secret: _call(answer=in_lines(_said(name, secret), 3)),
    "url in text": lambda name, secret: _call(
        _json({"content": f"get https://h.example/x?{name or 'q'}={quote(secret, safe='')}&z=1 please"})
    ),
}


def in_turn(seed: int, each: int) -> Iterator[tuple[str, Call]]:
    """`each` secrets of every kind, each in one place, all places in turn."""
    rng = random.Random(seed)
    for number in range(each * len(KINDS)):
        name, make = list(KINDS.values())[number % len(KINDS)]
        secret = make(rng)
        put = list(PLACES.values())[number // len(KINDS) % len(PLACES)]
        yield secret, put(name, secret)


def planted(seed: int, each: int) -> Iterator[tuple[str, str, str, Call]]:
    """`each` secrets of every kind, in every place: (kind, place, secret, call)."""
    rng = random.Random(seed)
    for kind, (name, make) in KINDS.items():
        for _ in range(each):
            secret = make(rng)
            for place, put in PLACES.items():
                yield kind, place, secret, put(name, secret)
