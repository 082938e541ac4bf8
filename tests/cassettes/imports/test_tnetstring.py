"""Tagged netstrings: what is read, and what is refused, in bounded time and memory."""

import contextlib

import pytest
from foreign_recordings import tnetstring as written
from hypothesis import given
from hypothesis import strategies as st
from respool.cassettes.errors import CassetteError
from respool.cassettes.imports import tnetstring
from respool.cassettes.imports.fields import Node

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.floats()
    | st.binary(max_size=30)
    | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


def plain(node: Node) -> object:
    if isinstance(node.value, list):
        return [plain(each) for each in node.value]
    if isinstance(node.value, dict):
        return {name: plain(each) for name, each in node.value.items()}
    return node.value


def spelled(value: object) -> object:
    """A value as nodes hold it: numbers and truth as text."""
    if isinstance(value, list):
        return [spelled(each) for each in value]
    if isinstance(value, dict):
        return {name: spelled(each) for name, each in value.items()}
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, int | float) else value


@given(st.lists(VALUES, max_size=4))
def test_what_is_written_is_read(values):
    data = b"".join(map(written, values))
    assert [plain(node) for node in tnetstring.read(data, "f")] == [spelled(value) for value in values]


def test_names_may_be_bytes_as_old_files_have_them():
    (node,) = tnetstring.read(b"8:1:a,1:b,}", "f")
    assert plain(node) == {"a": b"b"}


@pytest.mark.parametrize(
    "data",
    [
        b"5:hello",
        b"5:hell,",
        b"999999999999:x,",
        b"9999999999999:x,",
        b"18446744073709551616:x,",
        b"-1:,",
        b"05:hello,",
        b"5hello,",
        b"x",
        b"1:x?",
        b"1:~~",
        b"3:yes!",
        b"1:x#",
        b"200:" + b"1" * 200 + b"#",
        b"4:1e--^",
        b"2:\xff\xfe;",
        b"4:1:a,]x",
        b"4:5:a,]",
        b"8:4:aaa,1]",
        b"4:1:a,}",
        b"16:1:a,1:b,1:a,1:c,}",
        b"0:~junk",
    ],
    ids=repr,
)
def test_what_is_no_tagged_netstring_is_refused_with_its_byte(data):
    with pytest.raises(CassetteError, match=r"some\.flows: byte [0-9,]+: ") as caught:
        list(tnetstring.read(data, "some.flows"))
    assert caught.value.hint


def test_depth_and_number_of_values_are_capped():
    nested = b"0:]"
    for _ in range(100_000):
        nested = b"%d:" % len(nested) + nested + b"]" if len(nested) < 4000 else nested
    many = b"0:~" * 300_000
    for data in (nested, b"%d:" % len(many) + many + b"]"):
        with pytest.raises(CassetteError, match="nested deeper than 32, or more than 200,000"):
            list(tnetstring.read(data, "f"))


@given(st.text(alphabet="0123456789:,;#^!~]}truefals", max_size=60))
def test_no_bytes_make_anything_but_a_respool_error(text):
    with contextlib.suppress(CassetteError):
        list(tnetstring.read(text.encode(), "f"))
