"""Two bodies have one canonical form exactly when a server could not tell them apart."""

import json
import random
import sys
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from respool.cassettes.canonical import (
    DEEPEST,
    FORM,
    JSON,
    LARGEST,
    MULTIPART,
    RAW,
    canonical_body,
    canonical_number,
    limit_of,
)

TYPE = b"application/json"


def same(left: bytes, right: bytes, content_type: bytes = TYPE) -> bool:
    return canonical_body(left, content_type) == canonical_body(right, content_type)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (b'{"a":1,"b":2}', b'{ "b" : 2,\r\n\t"a" : 1 }'),
        (b"1", b"1.0"),
        (b"1", b"1e0"),
        (b"10", b"1E+1"),
        (b"100", b"0.1e3"),
        (b"0.001", b"1e-3"),
        (b"-0", b"0"),
        (b"-0.0e9", b"0"),
        (b"1.50", b"1.5"),
        (b"1e400", b"10e399"),
        (b"12345678901234567890123", b"12345678901234567890123.0"),
        ('"é"'.encode(), b'"\\u00e9"'),
        (b'"\\u00e9"', b'"\\u00E9"'),
        ('"\U0001f600"'.encode(), b'"\\ud83d\\ude00"'),
        (b'"/"', b'"\\/"'),
        (b'"\\n"', b'"\\u000a"'),
        (b'"\\u0041"', b'"A"'),
        (b'{"\\u0061":1}', b'{"a":1}'),
        (b"\xef\xbb\xbf{}", b"{}"),
        (b"", b"{}"),
        (b"", b" { } "),
        (b"[1, 2]", b"[1,2.0]"),
    ],
)
def test_spellings_of_one_value_are_one(left: bytes, right: bytes) -> None:
    assert same(left, right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (b'{"a":1}', b'{"a":"1"}'),
        (b'{"a":1}', b'{"a":2}'),
        (b'{"a":1}', b'{"a":1,"b":null}'),
        (b'{"a":{"b":1}}', b'{"a.b":1}'),
        (b"[1,2]", b"[2,1]"),
        (b"[1,2]", b"[[1],2]"),
        (b"[12]", b"[1,2]"),
        (b"[]", b"{}"),
        (b"[]", b"null"),
        (b"", b"null"),
        (b"", b"[]"),
        (b"true", b"1"),
        (b"false", b"0"),
        (b'""', b"null"),
        (b"1", b"-1"),
        (b"1", b"10"),
        (b"9007199254740993", b"9007199254740992"),
        (b"0.1", b"0.10000000000000000001"),
        (b"1e400", b"1e401"),
        (b'"1e0"', b"1"),
        ('"\u00e9"'.encode(), '"e\u0301"'.encode()),
        (b'"a"', b'"A"'),
        (b'"a"', b'"a "'),
        (b'"\\ud800"', b'"\\udc00"'),
        (b'"\\\\u0041"', b'"A"'),
        (b'["a","b"]', b'["a\\",\\"b"]'),
        (b'{"a":[1],"b":[]}', b'{"a":[],"b":[1]}'),
    ],
)
def test_different_values_differ(left: bytes, right: bytes) -> None:
    assert not same(left, right)


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1,"a":1}',
        b'[{"a":{"b":1,"\\u0062":2}}]',
        b"NaN",
        b"[Infinity]",
        b"[-Infinity]",
        b"01",
        b"1.",
        b".5",
        b"+1",
        b"1 2",
        b"{'a':1}",
        b"[1,]",
        b'"a\nb"',
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b"\xef\xbb\xbf\xef\xbb\xbf1",
        b"\xfe\xff\x001",
        b"1\x00",
        b"   ",
        b"1" * 4301,
        b"0." + b"1" * 5000,
        b"1e" + b"1" * 5000,
        b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1),
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b"{",
        b"not json",
    ],
)
def test_what_is_not_plain_json_counts_by_its_bytes(body: bytes) -> None:
    assert canonical_body(body, TYPE) == (RAW, body)
    assert canonical_body(body, b"") == (RAW, body)


def test_the_deepest_json_that_counts_does_not_depend_on_the_caller() -> None:
    body = b"[" * DEEPEST + b"]" * DEEPEST

    def called_from(depth: int) -> tuple[bytes, bytes]:
        return called_from(depth - 1) if depth else canonical_body(body, TYPE)

    assert canonical_body(body, TYPE)[0] == JSON
    assert called_from(sys.getrecursionlimit() // 2) == canonical_body(body, TYPE)


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        (b"", JSON),
        (b"application/json; charset=utf-8", JSON),
        (b"Application/JSON", JSON),
        (b"application/merge-patch+json", JSON),
        (b"application/octet-stream", JSON),
        (b"nonsense", JSON),
        (b"text/plain", RAW),
        (b"audio/wav", RAW),
        (b"multipart/mixed; boundary=x", RAW),
        (b"application/x-www-form-urlencoded", FORM),
    ],
)
def test_the_content_type_tells_how_a_body_is_read(content_type: bytes, kind: bytes) -> None:
    assert canonical_body(b'{"a": 1}', content_type)[0] == kind


def test_a_body_of_no_type_that_is_not_json_counts_by_its_bytes() -> None:
    assert canonical_body(b"hello", b"") == (RAW, b"hello")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def spelled(value: object, chance: random.Random) -> str:
    """`value` as JSON, in a spelling left to chance."""
    space = lambda: chance.choice(["", "", " ", "\n", "\t\r "])  # noqa: E731 - named for its place in the text below
    if isinstance(value, dict):
        names = list(value)
        chance.shuffle(names)
        inner = ",".join(f"{space()}{spelled(n, chance)}{space()}:{space()}{spelled(value[n], chance)}" for n in names)
        return "{" + inner + space() + "}"
    if isinstance(value, list):
        return "[" + space() + ",".join(spelled(item, chance) + space() for item in value) + "]"
    if isinstance(value, str):
        return '"' + "".join(spelled_character(character, chance) for character in value) + '"'
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return spelled_number(Decimal(value), chance)
    return json.dumps(value)


def spelled_character(character: str, chance: random.Random) -> str:
    if character in '"\\' or character < " ":
        return json.dumps(character)[1:-1] if chance.random() < 0.5 else f"\\u{ord(character):04x}"
    if chance.random() < 0.7 and not "\ud800" <= character <= "\udfff":
        return character
    return json.dumps(character)[1:-1] if character > "~" else f"\\u{ord(character):04X}"


def spelled_number(number: Decimal, chance: random.Random) -> str:
    sign, digits, exponent = number.as_tuple()
    text = "".join(map(str, digits)).lstrip("0") or "0"
    zeros = chance.randrange(3) if text != "0" else 0  # no JSON number begins with 00
    text, exponent = text + "0" * zeros, int(exponent) - zeros
    if chance.random() < 0.5:
        text, exponent = f"{text[0]}.{text[1:]}0", exponent + len(text) - 1
    minus = "-" if sign else ""
    return f"{minus}{text}{chance.choice('eE')}{chance.choice(['', '+']) if exponent >= 0 else ''}{exponent}"


@given(VALUES, st.randoms(use_true_random=False))
def test_any_spelling_of_a_value_has_one_form(value: object, chance: random.Random) -> None:
    left, right = (spelled(value, chance).encode() for _ in range(2))
    assert canonical_body(left, TYPE)[0] == JSON
    assert same(left, right)


def meaning(value: object) -> object:
    """A value in which numbers compare by value and never equal booleans."""
    if isinstance(value, dict):
        return {name: meaning(item) for name, item in value.items()}
    if isinstance(value, list):
        return [meaning(item) for item in value]
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return ("number", Decimal(value))
    return (type(value).__name__, value)


@given(VALUES, VALUES, st.randoms(use_true_random=False))
def test_different_values_have_different_forms(left: object, right: object, chance: random.Random) -> None:
    assume(meaning(left) != meaning(right))
    assert not same(spelled(left, chance).encode(), spelled(right, chance).encode())


@given(st.decimals(allow_nan=False, allow_infinity=False), st.decimals(allow_nan=False, allow_infinity=False))
def test_numbers_are_equal_by_their_exact_value(left: Decimal, right: Decimal) -> None:
    chance = random.Random(0)
    forms = [canonical_number(spelled_number(number, chance)) for number in (left, right)]
    assert (forms[0] == forms[1]) == (left == right)


def form(boundary: bytes, *parts: bytes) -> tuple[bytes, bytes]:
    body = b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + boundary + b"--\r\n"
    return body, b"multipart/form-data; boundary=" + boundary


PURPOSE = b'Content-Disposition: form-data; name="purpose"\r\n\r\nassistants'
FILE = (
    b'Content-Disposition: form-data; name="file"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\n\x00\r\n--\xff'
)


def test_the_boundary_of_a_form_does_not_count() -> None:
    one, other = form(b"abc", PURPOSE, FILE), form(b"----WebKitFormBoundary7", PURPOSE, FILE)
    assert canonical_body(*one) == canonical_body(*other)
    assert canonical_body(*one)[0] == MULTIPART
    quoted = (one[0], b'Multipart/Form-Data; charset=utf-8; Boundary="abc"')
    assert canonical_body(*quoted) == canonical_body(*one)


def test_the_spelling_of_a_part_does_not_count() -> None:
    spelled = FILE.replace(b"Content-Disposition: form-data;", b"content-disposition:form-data ;").replace(
        b'name="file"', b"name=file"
    )
    assert canonical_body(*form(b"x", FILE)) == canonical_body(*form(b"x", spelled))


@pytest.mark.parametrize(
    "parts",
    [
        (FILE, PURPOSE),
        (PURPOSE,),
        (PURPOSE, FILE, FILE),
        (PURPOSE, FILE + b"!"),
        (PURPOSE, FILE.replace(b"a.txt", b"b.txt")),
        (PURPOSE, FILE.replace(b'; filename="a.txt"', b"")),
        (PURPOSE, FILE.replace(b"text/plain", b"text/html")),
        (PURPOSE, FILE.replace(b"Content-Type: text/plain\r\n", b"")),
        (PURPOSE.replace(b'"purpose"', b'"purposes"'), FILE),
        (PURPOSE.replace(b"assistants", b""), FILE),
    ],
)
def test_names_types_bytes_and_order_of_parts_count(parts: tuple[bytes, ...]) -> None:
    assert canonical_body(*form(b"x", *parts)) != canonical_body(*form(b"x", PURPOSE, FILE))


@pytest.mark.parametrize(
    "body",
    [
        b"no boundary at all",
        b"preamble\r\n" + form(b"x", PURPOSE)[0],
        form(b"x", PURPOSE)[0].removesuffix(b"--\r\n"),
        form(b"x", PURPOSE)[0] + b"epilogue",
        form(b"y", PURPOSE)[0],
        form(b"x", b"no head")[0],
        form(b"x", b"no colon\r\n\r\ndata")[0],
        form(b"x", PURPOSE.replace(b"form-data", b"attachment"))[0],
        form(b"x", b'Content-Disposition: form-data; name="a"; name="b"\r\n\r\n')[0],
        form(b"x", b"Content-Disposition: form-data\r\nContent-Disposition: form-data\r\n\r\n")[0],
        form(b"x", b'Content-Disposition: form-data; name="a\r\n\r\n')[0],
        form(b"x", b"A: " + b"x" * 20_000 + b"\r\n\r\n")[0],
        form(b"x", *[PURPOSE] * 10_001)[0],
        b"--x\r\n" * 1000,
    ],
)
def test_a_malformed_form_counts_by_its_bytes(body: bytes) -> None:
    assert canonical_body(body, b"multipart/form-data; boundary=x") == (RAW, body)


@pytest.mark.parametrize(
    "content_type",
    [
        b"multipart/form-data",
        b"multipart/form-data; boundary=",
        b"multipart/form-data; boundary=x; boundary=y",
        b'multipart/form-data; boundary="x',
        b"multipart/form-data; boundary=" + b"x" * 201,
    ],
)
def test_a_form_without_one_boundary_counts_by_its_bytes(content_type: bytes) -> None:
    body = form(b"x", PURPOSE)[0]
    assert canonical_body(body, content_type) == (RAW, body)


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        (b"a=1&b=2", b"a=%31&%62=2", True),
        (b"a=b+c", b"a=b%20c", True),
        (b"a=", b"a", True),
        (b"a=1&b=2", b"b=2&a=1", False),
        (b"a=1", b"a=1&a=1", False),
        (b"a=1%26b=2", b"a=1&b=2", False),
        (b"a=1", b"a=2", False),
    ],
)
def test_a_plain_form_counts_by_its_pairs_in_order(left: bytes, right: bytes, equal: bool) -> None:
    assert same(left, right, b"application/x-www-form-urlencoded") is equal


def test_the_same_bytes_of_another_kind_are_another_body() -> None:
    assert len({canonical_body(b"a=1", kind) for kind in (b"text/plain", b"application/x-www-form-urlencoded")}) == 2


@pytest.mark.parametrize("content_type", [TYPE, b"", b"application/x-www-form-urlencoded"])
def test_what_takes_long_to_read_counts_by_its_bytes(content_type: bytes) -> None:
    assert limit_of(content_type) == LARGEST
    body = b'"' + b"x" * (LARGEST - 2) + b'"'
    assert canonical_body(body, content_type)[0] != RAW
    assert canonical_body(body + b" ", content_type) == (RAW, body + b" ")


@pytest.mark.parametrize(
    "element", [b"1.50", b"0", b"-0", b"1000", b'"1"', b'"\\u00e9,"', b"12345678901", b"[1]", b"null"]
)
@pytest.mark.parametrize("more", [b"", b"10", b'"x"', b"{}"])
def test_elements_of_a_long_list_are_written_as_those_of_a_short_one(element: bytes, more: bytes) -> None:
    once = b",".join(filter(None, (element, more)))
    short = canonical_body(b"[" + once + b"]", TYPE)[1]
    long = canonical_body(b"[" + b",".join([once] * 50) + b"]", TYPE)[1]
    assert long == b"[" + short[1:-1] * 50 + b"]"


def test_a_number_that_is_too_long_is_so_in_a_long_list_too() -> None:
    body = b"[" + b"1," * 100 + b"1" * 4301 + b"]"
    assert canonical_body(body, TYPE) == (RAW, body)
    nested = b"[" * (DEEPEST - 1) + b"[" + b"1," * 100 + b"1]" + b"]" * (DEEPEST - 1)
    assert canonical_body(nested, TYPE)[0] == JSON
    assert canonical_body(b"[" + nested + b"]", TYPE)[0] == RAW


@pytest.mark.parametrize("body", [b'{"a": 1, "stream": false}', b'{"stream": null, "a": 1}'])
def test_a_stream_that_is_off_is_as_good_as_none(body):
    assert canonical_body(body) == canonical_body(b'{"a": 1}')


@pytest.mark.parametrize("body", [b'{"a": 1, "stream": true}', b'{"a": 1, "stream": 0}', b'{"a": {"stream": false}}'])
def test_any_other_stream_counts(body):
    assert canonical_body(body) not in (canonical_body(b'{"a": 1}'), canonical_body(b'{"a": {}}'))
