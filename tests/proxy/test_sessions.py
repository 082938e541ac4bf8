"""Session names in front of the path."""

import pytest
from respool.proxy.sessions import DEFAULT, BadSessionName, prefix_of, split_session


@pytest.mark.parametrize(
    ("target", "session", "rest"),
    [
        (b"/v1/threads", DEFAULT, b"/v1/threads"),
        (b"/@one/v1/threads?a=/@b", "one", b"/v1/threads?a=/@b"),
        (b"/@refund~gw3/v1", "refund~gw3", b"/v1"),
        (b"/@suite%2Frefund~gw3/v1", "suite/refund~gw3", b"/v1"),
        (b"/@suite%2frefund/v1", "suite/refund", b"/v1"),
        (b"/@suite/refund/v1", "suite", b"/refund/v1"),
        (b"/@one", "one", b"/"),
        (b"/@one?x", "one", b"?x"),
        (b"/v1/@one", DEFAULT, b"/v1/@one"),
        (b"//@one/x", DEFAULT, b"//@one/x"),
    ],
)
def test_a_prefix_names_the_session_and_the_rest_is_the_call(target, session, rest):
    assert split_session(target) == (session, rest if rest.startswith(b"/") else b"/" + rest)


@pytest.mark.parametrize(
    "name",
    [
        b"",
        b"-a",
        b".",
        b"..",
        b"a b",
        b"%2e",
        b"a%2f",
        b"a%2f%2fb",
        b"%2fa",
        b"a%2f..",
        b"a%2f.b",
        b"a%252fb",
        b"a%00",
        b"a\\b",
        b"a\xff",
        b"a" * 201,
        b"a:b",
        b"~a",
    ],
)
def test_what_is_no_name_is_refused(name):
    with pytest.raises(BadSessionName):
        split_session(b"/@" + name + b"/v1/threads")


@pytest.mark.parametrize("session", [DEFAULT, "one", "a.b_c~d", "a/b/c~d"])
def test_the_prefix_of_a_session_leads_back_to_it(session):
    assert split_session(prefix_of(session) + b"/v1/x") == (session, b"/v1/x")
