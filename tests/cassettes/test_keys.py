"""A key is the same for two requests exactly when they ask for the same thing."""

import itertools
import random
import tracemalloc

import pytest
from campaign import sized
from hypothesis import given
from hypothesis import strategies as st
from respool.cassettes import canonical
from respool.cassettes.canonical import LARGEST, LARGEST_MULTIPART
from respool.cassettes.interaction import Body, Headers, Request
from respool.cassettes.keys import KeyBuilder, answer_digest, request_key
from respool.cassettes.redaction import redact_request
from respool.cassettes.variants import variant_of

JSON: Headers = ((b"Content-Type", b"application/json"),)


def key(line: str, body: bytes = b"", headers: Headers = JSON) -> int:
    method, target = line.split(" ", 1)
    return request_key(Request(method, target.encode(), headers, Body.of(body)))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("GET /v1/threads/t", "GET /threads/t"),
        ("GET /openai/v1/threads/t", "GET /api/projects/demo/threads/t"),
        ("GET /threads/t?", "GET /threads/t"),
        ("GET /threads/t?a=1&b=2", "GET /threads/t?b=2&a=1"),
        ("GET /threads/t?a=2&a=1", "GET /threads/t?a=1&a=2"),
        ("GET /threads/t?a=b%20c", "GET /threads/t?a=b+c"),
        ("GET /threads/t?%61=1&&", "GET /threads/t?a=1"),
        ("GET /threads/t?a", "GET /threads/t?a="),
        ("GET /threads/t?api-key=one", "GET /threads/t?api-key=other"),
        ("GET /threads/t?sig=abc%2Bdef&x=1", "GET /threads/t?x=1&sig=REDACTED"),
    ],
)
def test_targets_that_ask_the_same_have_one_key(left: str, right: str) -> None:
    assert key(left) == key(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("GET /threads/t", "POST /threads/t"),
        ("GET /threads/t", "HEAD /threads/t"),
        ("GET /threads/t", "GET /threads/t/"),
        ("GET /threads/t", "GET /threads/T"),
        ("GET /threads/t", "GET //threads/t"),
        ("GET /threads/a%2Fb", "GET /threads/a/b"),
        ("GET /threads/t?a=1", "GET /threads/t"),
        ("GET /threads/t?a=1", "GET /threads/t?a=1&a=1"),
        ("GET /threads/t?a=1&b=2", "GET /threads/t?a=2&b=1"),
        ("GET /threads/t?a=1%26b=2", "GET /threads/t?a=1&b=2"),
        ("GET /threads/t?a=", "GET /threads/t?b="),
        ("GET /threads/t?after=x", "GET /threads/t?before=x"),
        ("GET /threads/t?api-key=one", "GET /threads/t"),
        ("GET /threads/t?max_tokens=1", "GET /threads/t?max_tokens=2"),
        ("GET /threads/v1/x", "GET /v1/threads/x"),
    ],
)
def test_targets_that_ask_for_something_else_have_another_key(left: str, right: str) -> None:
    assert key(left) != key(right)


def test_no_part_runs_into_the_next() -> None:
    keys = [
        key("GET /ab"),
        key("GETX /ab"),
        key("GET /a?b"),
        key("GET /a", b"b", ()),
        key("GET /", b"ab", ()),
        key("GET /a?b=", b'"b"', ()),
        key("GET /?a=b"),
        key("GET /?ab="),
        key("GET /?a&b"),
    ]
    assert len(set(keys)) == len(keys)


def test_the_canonical_body_counts_and_headers_do_not() -> None:
    line = "POST /v1/threads"
    assert key(line, b'{"a": 1, "b": "\\u00e9"}') == key(line, '{"b":"é","a":1.0}'.encode(), ())
    assert key(line, b'{"a": 1}') != key(line, b'{"a": 2}')
    assert key(line, b"") == key(line, b"{}") != key(line, b"[]")
    more: Headers = (*JSON, (b"OpenAI-Beta", b"assistants=v2"), (b"Authorization", b"Bearer sk-something"))
    assert key(line, b"{}", more) == key(line, b"{}")


def test_the_key_stays_what_it_was_in_cassettes_that_exist() -> None:
    assert key("POST /v1/threads/t/runs?b=2&a=1", b'{"assistant_id": "asst_1", "n": 1.50}') == 0xE7C3F51EC30E6E01
    assert key("GET /threads") == 0xC3B3AB743BBE4468
    builder = answer_digest(200)
    builder.feed(b"{}")
    assert builder.finish() == 0x3DDBC149F9A06874


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=4))
def test_the_pieces_in_which_a_body_arrives_do_not_count(body: bytes, cuts: list[int]) -> None:
    headers: Headers = ((b"authorization", b"Bearer 0123456789"),)
    builder = KeyBuilder("POST", b"/v1/threads", headers)
    bounds = sorted({0, len(body), *(cut for cut in cuts if cut < len(body))})
    for start, end in itertools.pairwise(bounds):
        builder.feed(body[start:end])
    assert builder.finish() == key("POST /v1/threads", body, headers)


SECRET = b"sk-abcDEF123/+="


@pytest.mark.parametrize(
    ("target", "headers", "body"),
    [
        (b"/threads", ((b"Authorization", b"Bearer " + SECRET),), b'{"a":"say sk-abcDEF123/+= twice sk-abcDEF123/+="}'),
        (b"/threads", ((b"Authorization", b"Bearer " + SECRET),), b'{"a":"sk-abcDEF123\\/+="}'),
        (b"/threads?x=sk-abcDEF123%2F%2B%3D", ((b"api-key", SECRET),), b""),
        (b"/threads/sk-abcDEF123/+=?access_token=other-secret", ((b"x-api-key", SECRET),), b"other-secret"),
        (b"/threads?api-key=sk%2DabcDEF1", (), b"sk-abcDEF1"),
        (b"/threads", ((b"Cookie", b"a=0123456789; b=short"),), b'{"a": "0123456789", "b": "short"}'),
        (b"/threads", ((b"OpenAI-Organization", b"org-0123456789"),), b'{"o": "org-0123456789"}'),
    ],
)
def test_the_key_of_a_redacted_request_is_that_of_the_request(target: bytes, headers: Headers, body: bytes) -> None:
    request = Request("POST", target, headers, Body.of(body))
    redacted = redact_request(request)
    assert redacted != request
    assert request_key(redacted) == request_key(request)
    assert redact_request(redacted) == redacted


def test_another_credential_asks_the_same() -> None:
    def asked(secret: bytes) -> int:
        headers: Headers = (*JSON, (b"Authorization", b"Bearer " + secret))
        return key("POST /threads", b'{"header": "Bearer ' + secret + b'"}', headers)

    assert asked(b"sk-of-the-recording") == asked(b"sk-of-a-teammate-0123")


def test_a_body_beyond_the_limit_counts_by_its_bytes_in_bounded_memory() -> None:
    piece = b" " * (LARGEST // 16)

    def fed(*pieces: bytes) -> int:
        builder = KeyBuilder("POST", b"/files", ())
        for data in pieces:
            builder.feed(data)
        return builder.finish()

    assert fed(b"1", *[piece] * 15) == fed(b"1.0")
    assert fed(b"1", *[piece] * 16) != fed(b"1.0", *[piece] * 16)
    tracemalloc.start()
    try:
        large = fed(*[piece] * 160)
        assert tracemalloc.get_traced_memory()[1] < 4 * LARGEST
    finally:
        tracemalloc.stop()
    assert large == fed(*[piece * 4] * 40)


def upload(boundary: bytes, *parts: bytes) -> tuple[bytes, Headers]:
    head = b'\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'
    body = b"".join(b"--" + boundary + head + part + b"\r\n" for part in parts) + b"--" + boundary + b"--\r\n"
    return body, ((b"Content-Type", b"multipart/form-data; boundary=" + boundary),)


def upload_key(upload: tuple[bytes, Headers], step: int) -> int:
    body, headers = upload
    builder = KeyBuilder("POST", b"/v1/files", headers)
    for at in range(0, len(body), step):
        builder.feed(body[at : at + step])
    return builder.finish()


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A part that makes an upload too large to be read whole; a smaller one is too large in `make test`."""
    size = sized(1 << 20, LARGEST_MULTIPART)
    monkeypatch.setattr(canonical, "LARGEST_MULTIPART", size)
    return bytes(size)


def test_the_boundary_of_a_large_upload_does_not_count_in_whatever_pieces_it_arrives(large: bytes) -> None:
    first = upload_key(upload(b"0123456789abcdef", large, b"\r\n--small"), 65536)
    assert first == upload_key(upload(b"fedcba9876543210", large, b"\r\n--small"), 1 << 20)
    # The delimiter behind the large part stands across the end of a piece.
    body, headers = upload(b"another-boundary", large, b"\r\n--small")
    cut = body.index(b"\r\n--another-boundary")
    for inside in range(1, 21, 4):
        builder = KeyBuilder("POST", b"/v1/files", headers)
        for piece in (body[: cut + inside], body[cut + inside :]):
            builder.feed(piece)
        assert builder.finish() == first


def test_large_uploads_of_something_else_have_another_key(large: bytes) -> None:
    body, headers = upload(b"b", large, b"12", b"3")
    others = [
        upload(b"b", large, b"12", b"3"),
        upload(b"b", large, b"1", b"23"),
        upload(b"b", large, b"123"),
        upload(b"b", large + b"1", b"2", b"3"),
        upload(b"b", large, b"12", b"4"),
        (body, ((b"Content-Type", b"multipart/form-data; boundary=other"),)),
        (body, ((b"Content-Type", b"multipart/form-data"),)),
        (body.replace(b"--b", b""), headers),
    ]
    keys = [upload_key(other, 1 << 20) for other in others]
    # A form without a boundary counts by its bytes; one whose boundary never stands in it, as one part.
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("headers", "variant"),
    [
        ((), 0),
        (((b"OpenAI-Beta", b"assistants=v1"),), 1),
        (((b"openai-beta", b" Assistants=V2 "),), 2),
        (((b"OpenAI-Beta", b"realtime=v1"),), 15),
        (((b"Authorization", b""),), 0),
    ],
)
def test_the_version_stands_in_the_low_bits(headers: Headers, variant: int) -> None:
    assert variant_of(headers, b"") == variant


def test_a_credential_has_a_class_that_its_place_and_scheme_do_not_change() -> None:
    places: list[Headers] = [
        ((b"Authorization", b"Bearer secret-1"),),
        ((b"authorization", b"bearer secret-1"),),
        ((b"authorization", b"secret-1"),),
        ((b"api-key", b"secret-1"),),
        ((b"X-Api-Key", b"secret-1"), (b"Authorization", b"Bearer ")),
    ]
    classes = {variant_of(headers, b"salt") >> 4 for headers in places}
    assert len(classes) == 1
    assert classes.pop() in range(1, 4096)


def test_classes_differ_by_credential_and_by_cassette() -> None:
    chance = random.Random(7)
    variants = {variant_of(((b"api-key", chance.randbytes(20)),), b"salt") for _ in range(2000)}
    assert all(0 < variant >> 4 < 4096 for variant in variants)
    assert len(variants) > 1400  # 12 bits, so that a class says nothing for sure
    headers: Headers = ((b"api-key", b"secret-1"),)
    assert variant_of(headers, b"one") != variant_of(headers, b"other")
