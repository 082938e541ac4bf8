"""Our walk of a JSONPath finds what the library finds; what could take long is refused, or left alone."""

import json
import time

import jsonpath
import pytest
from hypothesis import given
from hypothesis import strategies as st
from respool.cassettes.canonical import canonical_json, parse_json
from respool.cassettes.errors import UsageError
from respool.cassettes.paths import MOST_STEPS, parse_path, without

NAMES = st.sampled_from("abc")
VALUES = st.recursive(
    st.none() | st.booleans() | st.floats(-3, 3) | st.integers(-3, 3) | st.sampled_from(["", "a", "b"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=20,
)
LITERALS = st.sampled_from(["1", "-2", "1.5", "'a'", "true", "null", "''"])
MEMBERS = st.sampled_from(["@", "@.a", "@['b']", "@[0]", "@.a.b", "@[-1]"])
TESTS = st.builds("{} {} {}".format, MEMBERS, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), LITERALS)
# A bare `@` is left out here: the library asks whether its value is true, RFC 9535 (2.3.5.2.1) whether the node is there.
TESTS |= MEMBERS.filter(lambda member: member != "@")
FILTERS = st.builds("?{}".format, TESTS) | st.builds(
    "?({}) {} !({})".format, TESTS, st.sampled_from(["&&", "||"]), TESTS
)
SELECTORS = FILTERS | st.sampled_from(["'a'", "'b'", "*", "0", "-1", "5", "1:", "::-1", ":-1", "0:9:2", "::0"])
SEGMENTS = st.builds("[{}]".format, st.lists(SELECTORS, min_size=1, max_size=3).map(", ".join))


@given(st.lists(SEGMENTS, max_size=2), st.integers(0, 3), st.booleans(), VALUES)
def test_the_walk_finds_what_the_library_finds(segments, place, descends, value):
    if descends and segments:
        at = place % len(segments)
        segments = [*segments[:at], ".." + segments[at], *segments[at + 1 :]]
    text = "$" + "".join(segments)
    spelled = spelled_json(value)
    wanted = parse_json(spelled)
    locations = {match.parts for match in jsonpath.JSONPathEnvironment(strict=True).finditer(text, value)}
    for location in sorted(locations - {()}, reverse=True):
        holder = wanted
        for step in location[:-1]:
            holder = holder[step]
        if isinstance(holder, (dict, list)):  # the library slices strings too, which RFC 9535 has not
            del holder[location[-1]]
    left = without(parse_json(spelled), [parse_path(text)])
    assert canonical_json(left) == canonical_json({} if () in locations else wanted)


def test_a_filter_that_asks_for_the_element_itself_finds_every_element():
    value = parse_json(b'[false, null, 0, "", [], {}, 1]')
    assert without(value, [parse_path("$[?@]")]) == []


def spelled_json(value) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    ("text", "place", "told"),
    [
        ("$.a[", "at character 5", "unexpected end"),
        ("$.a ", "at character 4", "whitespace"),
        ("$.a|$.b", "at character 4", "unexpected token"),
        ("$.a..b..c", "at character 7", "one `..` at most"),
        ("$[?match(@.a, '(a+)+$')]", "at character 2", "nothing else"),
        ("$.x[?search(@.a, 'a')]", "at character 4", "nothing else"),
        ("$[?length(@.a) > 1]", "at character 2", "nothing else"),
        ("$[?@..a]", "at character 2", "nothing else"),
        ("$[?@[?@.a]]", "at character 2", "nothing else"),
        ("$[?@ == $]", "at character 2", "nothing else"),
        ("$[?@.a == @.b]", "at character 2", "nothing else"),
        ("$[?@.a <> 1]", "at character 2", "nothing else"),
        ("$[?@.a == 1e999]", "cannot be used", "a number in it"),
        ("$[?" + "@.a || " * 20 + "@.a]", "cannot be used", "more than 20 comparisons"),
        ("$[?" + "(" * 990, "cannot be used", "recursion"),
        ("$[1" + "0" * 900 + "]", "at character 3", "out of range"),
    ],
)
def test_what_is_no_rule_is_refused_with_its_place(text, place, told):
    with pytest.raises(UsageError) as caught:
        parse_path(text)
    assert place in caught.value.message
    assert told in caught.value.message


@given(st.text("$.[]*?@'\"()!&|=<>,:-01ab \\", max_size=60))
def test_no_text_breaks_the_reading(text):
    try:
        parse_path("$" + text)
    except UsageError as error:
        assert error.message.isprintable()  # noqa: PT017  # either of the two is right


@pytest.mark.parametrize(
    "text",
    ["$..*", "$[*,*][*,*]", "$..[?@.a == 1]", "$..[" + ",".join("*" * 400) + "]"],
    ids=len,
)
@pytest.mark.parametrize(
    "body",
    [b"[" + b",".join([b"1"] * 500_000) + b"]", b"[" + b",".join([b'{"a":1,"b":[2]}'] * 60_000) + b"]",
     b"[" + b",".join([b"[" * 100 + b"1" + b"]" * 100] * 5_000) + b"]"],
    ids=["flat", "objects", "deep"],
)  # fmt: skip
def test_no_rule_keeps_others_waiting_for_long(text, body):
    value = parse_json(body)
    began = time.process_time()
    without(value, [parse_path(text)])
    assert time.process_time() - began < 10  # measured: 2 s at most; without a limit, minutes


def test_a_body_that_would_take_too_long_is_left_as_it_is():
    small, large = ([{"a": 1}] * count for count in (10, MOST_STEPS))
    assert without(parse_json(spelled_json(small)), [parse_path("$..a")]) == [{}] * 10
    assert without(large, [parse_path("$..a")]) is large
    assert large[0] == {"a": 1}
