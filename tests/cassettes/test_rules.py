"""A rule takes out of a key what it names, and nothing else; a matched header counts."""

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from respool.cassettes.differences import differences
from respool.cassettes.errors import UsageError
from respool.cassettes.interaction import Body, Request
from respool.cassettes.keys import KeyBuilder, request_key
from respool.cassettes.redaction import redact_request
from respool.cassettes.rules import LONGEST, MOST_RULES, Rules

JSON = (b"Content-Type", b"application/json")
FORM = (b"Content-Type", b"multipart/form-data; boundary=x")


def post(body: object, target: str = "/threads", *headers: tuple[bytes, bytes]) -> Request:
    return Request("POST", target.encode(), (JSON, *headers), Body.of(json.dumps(body).encode()))


def form(*parts: tuple[str, str]) -> Request:
    lines = [f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in parts]
    return Request("POST", b"/files", (FORM,), Body.of("".join([*lines, "--x--\r\n"]).encode()))


def same(one: Request, other: Request, *rules: str, match: tuple[str, ...] = ()) -> bool:
    """Whether two requests have one key; that no difference is left says the same."""
    taken = Rules.of(rules, match)
    verdict = request_key(one, rules=taken) == request_key(other, rules=taken)
    assert verdict == (not differences(redact_request(one), redact_request(other), taken))
    return verdict


@pytest.mark.parametrize(
    ("rule", "body", "other"),
    [
        ("$.metadata.trace_id", {"metadata": {"trace_id": 1}}, {"metadata": {"trace_id": "two"}}),
        ("$.metadata.trace_id", {"metadata": {"trace_id": 1}}, {"metadata": {}}),
        ("$.metadata", {"metadata": {"a": 1}, "n": 1}, {"n": 1.0}),
        ("$['a b']", {"a b": 1}, {"a b": 2}),
        ("$..trace_id", {"a": [{"trace_id": 1}], "trace_id": 1}, {"a": [{}], "trace_id": [2]}),
        ("$.messages[0]", {"messages": ["a", "b"]}, {"messages": ["c", "b"]}),
        ("$.messages[-1]", {"messages": ["a", "b"]}, {"messages": ["a", "c"]}),
        ("$.messages[*].at", {"messages": [{"at": 1}, {"at": 2}]}, {"messages": [{}, {"at": 3}]}),
        ("$.messages[1:]", {"messages": ["a", "b", "c"]}, {"messages": ["a"]}),
        ("$.messages[?@.role == 'user']", {"messages": [{"role": "user"}, {}]}, {"messages": [{}]}),
        ("$.messages[?@.n > 1 && !@.kept].n", {"messages": [{"n": 2}]}, {"messages": [{"n": 3.5}]}),
        ("$", {"a": 1}, {}),
    ],
)
def test_what_a_path_finds_does_not_count(rule, body, other):
    assert same(post(body), post(other), rule)
    assert not same(post(body), post(other))


@pytest.mark.parametrize(
    ("rule", "body", "other"),
    [
        ("$.metadata.trace_id", {"metadata": {"trace_id": 1, "b": 1}}, {"metadata": {"trace_id": 1, "b": 2}}),
        ("$.metadata.trace_id", {"metadata": {"trace_id": 1}}, {}),
        ("$.a", {"b": {"a": 1}}, {"b": {"a": 2}}),
        ("$.messages[0]", {"messages": ["a", "b"]}, {"messages": ["a", "c"]}),
        ("$.messages[?@.role == 'user']", {"messages": [{"role": "x"}]}, {"messages": []}),
        ("query:a", {"a": 1}, {"a": 2}),
        ("multipart:a", {"a": 1}, {"a": 2}),
    ],
)
def test_what_no_rule_names_counts(rule, body, other):
    assert not same(post(body), post(other), rule)


def test_a_rule_of_the_query_leaves_out_each_pair_of_that_name():
    asked = Request("GET", b"/v1/threads/t/runs?limit=1&api-version=a&api%2Dversion=b")
    assert same(asked, Request("GET", b"/threads/t/runs?limit=1"), "query:api-version")
    assert same(asked, Request("GET", b"/threads/t/runs?api-version=c&limit=1"), "query:api-version")
    assert same(asked, Request("GET", b"/threads/t/runs"), "query:api-version", "query:limit")
    assert not same(asked, Request("GET", b"/threads/t/runs?limit=2"), "query:api-version")
    assert not same(asked, Request("GET", b"/threads/t/runs?limit=1&API-VERSION=a"), "query:api-version")


def test_a_rule_of_a_form_leaves_out_each_part_of_that_name():
    asked = form(("purpose", "assistants"), ("nonce", "1"), ("nonce", "2"))
    assert same(asked, form(("purpose", "assistants")), "multipart:nonce")
    assert same(asked, form(("nonce", "3"), ("purpose", "assistants")), "multipart:nonce")
    assert not same(asked, form(("purpose", "vision"), ("nonce", "1"), ("nonce", "2")), "multipart:nonce")
    kind = ((b"Content-Type", b"application/x-www-form-urlencoded"),)
    sides = [Request("POST", b"/files", kind, Body.of(body)) for body in (b"a=1&nonce=1", b"a=1")]
    assert same(*sides, "multipart:nonce")
    assert not same(*sides)


def test_a_matched_header_counts_by_its_values_as_they_are_stored():
    one, other = (post({}, "/threads", (b"X-Tenant", value)) for value in (b"a", b"b"))
    assert same(one, other)
    assert not same(one, other, match=("x-tenant",))
    assert same(one, post({}, "/threads", (b"x-TENANT", b" a ")), match=("X-Tenant",))
    assert same(one, other, "header:X-Tenant", match=("X-Tenant",))
    hidden = [post({}, "/threads", (b"X-Api-Secret", value)) for value in (b"sk-one-0123456789", b"sk-two-0123456789")]
    assert same(*hidden, match=("X-Api-Secret",))
    assert request_key(post({}), rules=Rules.of([], ["X-Tenant"])) == request_key(post({})), "absent adds nothing"


def test_a_matched_credential_counts_by_its_class():
    asked = post({}, "/threads", (b"Authorization", b"Bearer sk-test-0123456789"))
    rules = Rules.of([], ["authorization"])
    keys = [request_key(asked, rules=rules, variant=number << 4) for number in (1, 1, 2)]
    assert keys[0] == keys[1] != keys[2]


def test_bodies_of_reads_are_left_alone():
    bodies = (Body.of(b'{"a": 1}'), Body.of(b'{"a": 2}'))
    assert not same(*(Request("GET", b"/threads/t", (JSON,), body) for body in bodies), "$.a")


@pytest.mark.parametrize(
    "body", [b'{"a": NaN}', b'{"a": 1, "a": 2}', b"[" * 200 + b"]" * 200, b'"' + b"x" * (1 << 20) + b'"'], ids=len
)
def test_a_body_that_counts_by_its_bytes_counts_by_them_with_rules_too(body):
    asked = Request("POST", b"/threads", (JSON,), Body.of(body))
    assert request_key(asked, rules=Rules.of(["$..a", "$.a"])) == request_key(asked)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "a", "b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from("abc"), VALUES), st.sampled_from("abc"), st.integers(1, 40))
def test_leaving_out_by_hand_is_leaving_out_by_rule(body, name, cut):
    def stripped(value):
        if isinstance(value, dict):
            return {key: stripped(item) for key, item in value.items() if key != name}
        return [stripped(item) for item in value] if isinstance(value, list) else value

    rules = Rules.of([f"$..{name}"])
    assert request_key(post(body), rules=rules) == request_key(post(stripped(body)))
    top = {key: item for key, item in body.items() if key != name}
    assert request_key(post(body), rules=Rules.of([f"$.{name}"])) == request_key(post(top))
    builder = KeyBuilder("POST", b"/threads", (JSON,), rules=rules)
    data = post(body).body.read()
    for at in range(0, len(data), cut):
        builder.feed(data[at : at + cut])
    assert builder.finish() == request_key(post(stripped(body)))


@given(st.lists(st.sampled_from(["$.a", "$.b[0]", "$..c", "$.b[-1]", "$.a.b", "$"]), max_size=4), VALUES)
def test_the_order_of_rules_means_nothing(texts, body):
    keys = {request_key(post(body), rules=Rules.of(order)) for order in (texts, texts[::-1], texts * 2)}
    assert len(keys) == 1


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("", "of no known kind"),
        ("metadata", "of no known kind"),
        ("form:x", "of no known kind"),
        ("query:", "of no known kind"),
        ("header:a b", "no name of a header"),
        ("query:a\x1b[2J", "cannot be printed"),
        ("query:\udcff", "cannot be printed"),
        ("$." + "a" * LONGEST, "longer than 1,000 characters"),
    ],
)
def test_a_rule_that_means_nothing_is_refused(rule, told):
    with pytest.raises(UsageError) as caught:
        Rules.of([rule])
    assert told in caught.value.message
    assert caught.value.message.isprintable()


def test_too_many_rules_are_refused():
    texts = [f"query:{number}" for number in range(MOST_RULES)]
    assert len(Rules.of(texts * 2).ignore) == MOST_RULES
    with pytest.raises(UsageError, match="101 rules; at most 100"):
        Rules.of(texts, ["x"])


def test_the_library_is_loaded_for_a_path_only():
    code = "import sys; from respool.proxy import replay; from respool.cassettes.rules import Rules; "
    for rule, loaded in (("query:a", False), ("$.a", True)):
        ends = f"Rules.of([{rule!r}]); sys.exit('jsonpath' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", code + ends], check=False, timeout=60).returncode == loaded
