"""Credentials are gone from what is kept; all else, the API's ids above all, is as it was."""

import base64
import itertools
import json
import re
import time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from respool.cassettes.interaction import BlobRef, Body, Headers, Interaction, Request, Response
from respool.cassettes.redaction import (
    is_header_slot,
    is_query_slot,
    joined,
    redact,
    redact_request,
    redact_response,
    redact_target,
    scrub_text,
    secrets_of,
    secrets_of_response,
)
from respool.cassettes.scopes import scope_of
from respool.cassettes.secrets.cleaning import Cleaning
from respool.cassettes.secrets.policy import PLAIN
from respool.cassettes.secrets.pseudonyms import Pseudonyms

KEY = b"sk-proj-abc/DEF+012345"


def request(*headers: tuple[bytes, bytes], target: bytes = b"/v1/threads", body: bytes = b"") -> Request:
    return Request("POST", target, headers, Body.of(body))


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        (b"Authorization", b"Bearer " + KEY, b"Bearer REDACTED"),
        (b"authorization", KEY, b"REDACTED"),
        (b"Authorization", b"two words", b"REDACTED"),
        (b"Authorization", b"Basic dXNlcjpwYXNz", b"Basic REDACTED"),
        (b"Authorization", b"Bearer", b"Bearer"),
        (b"Proxy-Authorization", b"Basic dXNlcjpwYXNz", b"Basic REDACTED"),
        (b"api-key", KEY, b"REDACTED"),
        (b"X-API-Key", KEY, b"REDACTED"),
        (b"Ocp-Apim-Subscription-Key", KEY, b"REDACTED"),
        (b"x-vendor-subscription-key", KEY, b"REDACTED"),
        (b"OpenAI-Organization", b"org-abc", b"REDACTED"),
        (b"openai-project", b"proj_abc", b"REDACTED"),
        (b"X-OpenAI-Client-User-Agent", b'{"os": "x"}', b"REDACTED"),
        (b"x-goog-api-key", KEY, b"REDACTED"),
        (b"X-Auth-Token", KEY, b"REDACTED"),
        (b"x-client-secret", KEY, b"REDACTED"),
        (b"x-password", KEY, b"REDACTED"),
        (b"x-session-id", KEY, b"REDACTED"),
        (b"x-hub-signature", KEY, b"REDACTED"),
        (b"x-amz-credential", KEY, b"REDACTED"),
        (b"api-key", b"", b""),
        (b"Cookie", b"a=1; b=two=2;c; d=", b"a=REDACTED; b=REDACTED; REDACTED; d="),
        (
            b"Set-Cookie",
            b"sid=abc; Path=/; Max-Age=60; HttpOnly; SameSite=Lax",
            b"sid=REDACTED; Path=/; Max-Age=60; HttpOnly; SameSite=Lax",
        ),
    ],
)
def test_a_slot_loses_its_value_and_keeps_its_form(name: bytes, value: bytes, kept: bytes) -> None:
    assert redact_request(request((name, value))).headers == ((name, kept),)
    assert redact_response(Response(200, headers=((name, value),))).headers == ((name, kept),)


@pytest.mark.parametrize(
    "name",
    [
        b"x-ratelimit-remaining-tokens",
        b"X-RateLimit-Limit-Tokens",
        b"max-tokens",
        b"x-max-output-tokens",
        b"WWW-Authenticate",
        b"Access-Control-Allow-Credentials",
        b"OpenAI-Beta",
        b"openai-processing-ms",
        b"x-request-id",
        b"User-Agent",
        b"Content-Type",
        b"Strict-Transport-Security",
    ],
)
def test_names_that_only_sound_like_a_slot_are_none(name: bytes) -> None:
    assert not is_header_slot(name)


@pytest.mark.parametrize(
    ("target", "kept"),
    [
        (b"/threads?api-key=abc&x=1", b"/threads?api-key=REDACTED&x=1"),
        (b"/threads?x=1&key=abc", b"/threads?x=1&key=REDACTED"),
        (b"/threads?access_token=a%20b", b"/threads?access_token=REDACTED"),
        (b"/threads?api%2Dkey=abc", b"/threads?api%2Dkey=REDACTED"),
        (b"/threads?API_KEY=abc", b"/threads?API_KEY=REDACTED"),
        (b"/f?sig=a=b&code=c&se=2026", b"/f?sig=REDACTED&code=REDACTED&se=2026"),
        (b"/f?X-Amz-Signature=abc&X-Amz-Date=1", b"/f?X-Amz-Signature=REDACTED&X-Amz-Date=1"),
        (b"/threads?key=", b"/threads?key="),
        (b"/threads?key", b"/threads?key"),
        (b"/threads?", b"/threads?"),
        (b"//threads?a&&b", b"//threads?a&&b"),
        (b"/threads?max_tokens=5&next_page_token=p&pageToken=q&limit=2", None),
        (b"/threads?maxCompletionTokens=5&max_prompt_tokens=5&author=me", None),
        (b"/threads/thread_key?after=msg_token&order=asc&api-version=v1", None),
    ],
)
def test_query_slots_lose_their_value(target: bytes, kept: bytes | None) -> None:
    assert redact_target(target) == (target if kept is None else kept)
    assert redact_target(redact_target(target)) == redact_target(target)


def test_a_long_name_takes_no_longer_than_its_length() -> None:
    began = time.process_time()
    for name in (b"max-" * 100_000 + b"token", b"auth" * 100_000, b"session-" * 50_000):
        is_header_slot(name)
        is_query_slot(name)
    redact_request(request((b"Cookie", b"a=1;" * 20_000), target=b"/x?" + b"key=1&" * 20_000))
    assert time.process_time() - began < 2


def test_what_stood_in_a_slot_is_gone_everywhere() -> None:
    text = json.dumps({"said": f"key {KEY.decode()}!", "again": KEY.decode()})
    escaped = text.replace("/", "\\/")
    asked = request(
        (b"Authorization", b"Bearer " + KEY),
        (b"X-Debug", b"key=" + KEY),
        target=b"/v1/threads/" + KEY + b"?q=sk-proj-abc%2FDEF%2B012345",
        body=text.encode(),
    )
    answered = Response(401, headers=((b"x-echo", KEY),), body=Body.of(escaped.encode()))
    kept = redact(Interaction(0, 0, asked, answered))
    assert kept.response is not None
    assert b"DEF" not in repr(kept).encode() + kept.request.body.read() + kept.response.body.read()
    assert kept.request.headers == ((b"Authorization", b"Bearer REDACTED"), (b"X-Debug", b"key=REDACTED"))
    assert kept.request.target == b"/v1/threads/REDACTED?q=REDACTED"
    assert json.loads(kept.response.body.read()) == {"said": "key REDACTED!", "again": "REDACTED"}


def test_query_secrets_are_gone_from_the_body_in_each_spelling() -> None:
    asked = request(target=b"/f?sig=ab%2Bcd%2Fef%3D", body=b"ab%2Bcd%2Fef%3D ab+cd/ef=")
    assert redact_request(asked).body.read() == b"REDACTED REDACTED"


def test_an_organisation_named_by_the_answer_is_gone_from_both_sides() -> None:
    asked = request((b"x-note", b"for sandbox-org"), target=b"/v1/x/sandbox-org", body=b'{"o": "sandbox-org"}')
    answered = Response(200, headers=((b"OpenAI-Organization", b"sandbox-org"),), body=Body.of(b'{"o":"sandbox-org"}'))
    kept = redact(Interaction(0, 0, asked, answered))
    assert kept.response is not None
    assert b"sandbox" not in repr(kept).encode() + kept.request.body.read() + kept.response.body.read()


@pytest.mark.parametrize(
    "value",
    b"unused assistant messages in_progress thread_abc123456 run_abc123456 asst_abc12345 file-abc1234567 "
    b"msg_abc12345678 step_abc1234567 1712345678 REDACTED application/json".split(),
)
def test_what_cannot_be_told_from_ordinary_text_is_searched_for_nowhere(value: bytes) -> None:
    body = b'{"x": "' + value + b'"}'
    kept = redact_request(request((b"api-key", value), target=b"/v1/threads/" + value, body=body))
    assert kept.headers == ((b"api-key", b"REDACTED"),)
    assert kept.target == b"/v1/threads/" + value
    assert kept.body.read() == body


def test_the_longer_of_two_secrets_goes_first() -> None:
    asked = request((b"api-key", b"a1234567"), (b"x-auth", b"a123456789abc"), body=b"a123456789abc a1234567x")
    assert redact_request(asked).body.read() == b"REDACTED REDACTEDx"


def test_ids_of_the_api_are_never_touched() -> None:
    body = json.dumps({"id": "thread_abc", "run": "run_abc", "usage": {"total_tokens": 5}, "session": "s"}).encode()
    interaction = Interaction(
        0, 0, request(target=b"/threads/thread_abc/runs/run_abc"), Response(200, body=Body.of(body))
    )
    assert redact(interaction) == interaction


def test_a_body_that_stands_in_the_cassette_is_left_alone() -> None:
    def load(_: BlobRef) -> bytes:
        raise AssertionError("the body was read")

    body = Body((BlobRef(b"0" * 16, 100), b"rest"), load)
    kept = redact_request(Request("POST", b"/files", ((b"api-key", KEY),), body))
    assert kept.body is body


def test_a_body_without_secrets_is_not_copied() -> None:
    asked = request((b"api-key", KEY), body=b"nothing here")
    assert redact_request(asked).body is asked.body


@pytest.mark.parametrize("secret", [b"0123456789abcdef", b"abcdefg1"])
@given(st.data())
def test_marks_follow_the_body(secret: bytes, data: st.DataObject) -> None:
    pieces = data.draw(st.lists(st.sampled_from([b"x", b"event", secret, secret[:5], secret[5:]]), max_size=12))
    body = b"".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=5)))
    bounds = [0, *cuts, len(body)]
    marks = tuple((end - start, end) for start, end in itertools.pairwise(bounds))
    kept = redact_response(Response(200, body=Body.of(body), marks=marks), (secret,))
    assert kept.body.read() == body.replace(secret, b"REDACTED")
    assert sum(length for length, _ in kept.marks) == kept.body.length
    assert [moment for _, moment in kept.marks] == [moment for _, moment in marks]
    assert all(length >= 0 for length, _ in kept.marks)
    end = kept_end = 0
    spans = [match.span() for match in re.finditer(re.escape(secret), body)]
    for (length, _), (kept_length, _) in zip(marks, kept.marks, strict=True):
        end += length
        kept_end += kept_length
        # A secret that a mark cuts belongs to the piece in which it ends.
        whole = next((start for start, stop in spans if start < end < stop), end)
        assert kept_end == len(body[:whole].replace(secret, b"REDACTED"))


NAMES = st.sampled_from([b"Authorization", b"api-key", b"Cookie", b"Set-Cookie", b"x-note", b"Accept", b"x-auth-token"])
VALUES = st.sampled_from([b"Bearer secret-0123", b"secret-0123", b"a=secret-0123; b=x", b"REDACTED", b"", b"Bearer  x"])


@given(
    st.lists(st.tuples(NAMES, VALUES)),
    st.lists(st.tuples(NAMES, VALUES)),
    st.sampled_from([b"/threads", b"/threads?key=secret-0123&x=secret-0123", b"/threads/secret-0123?"]),
    st.sampled_from([b"", b"secret-0123", b'{"a": "secret-0123 REDACTED"}']),
)
def test_redacting_twice_changes_nothing(
    asked: list[tuple[bytes, bytes]], answered: list[tuple[bytes, bytes]], target: bytes, body: bytes
) -> None:
    headers: Headers = tuple(answered)
    once = redact(
        Interaction(0, 0, request(*asked, target=target, body=body), Response(200, b"", headers, Body.of(body)))
    )
    assert redact(once) == once


def test_secrets_come_in_each_spelling_the_longest_first() -> None:
    found = secrets_of(request((b"Authorization", b"Bearer " + KEY), (b"Cookie", b'a="quoted-value"; b=short')))
    assert KEY in found
    assert b"sk-proj-abc\\/DEF+012345" in found
    assert b"sk-proj-abc%2FDEF%2B012345" in found
    assert b"quoted-value" in found
    assert b"short" not in found
    assert list(found) == sorted(found, key=len, reverse=True)


@pytest.mark.parametrize(
    "name",
    [
        b"X-Functions-Key",
        b"X-Access-Key",
        b"AccessKey",
        b"Private-Key",
        b"X-Vault-Key",
        b"X-JWT-Assertion",
        b"X-Bearer",
        b"X-Pwd",
        b"Cookie2",
        b"X-MS-Client-Principal",
        b"X-MS-Client-Principal-Name",
        b"Access-Control-X-Token",
        b"X-RateLimit-Api-Key",
        b"X-Auth-Public-Key",
        b"Key",
    ],
)
def test_names_that_hold_a_credential_are_slots(name: bytes) -> None:
    assert redact_request(request((name, KEY))).headers == ((name, b"REDACTED"),)


@pytest.mark.parametrize(
    "name",
    [
        b"Idempotency-Key",
        b"X-Idempotency-Key",
        b"Sec-WebSocket-Key",
        b"Surrogate-Key",
        b"Access-Control-Allow-Credentials",
        b"Access-Control-Request-Headers",
        b"x-ratelimit-reset-project-tokens",
        b"x-ratelimit-remaining-tokens_usage_based",
    ],
)
def test_keys_and_tokens_that_are_no_credential_stay(name: bytes) -> None:
    assert redact_request(request((name, KEY))).headers == ((name, KEY),)


def test_the_reason_of_a_response_is_scrubbed() -> None:
    answered = Response(401, b"No such key " + KEY)
    kept = redact(Interaction(0, 0, request((b"api-key", KEY)), answered)).response
    assert kept is not None
    assert kept.reason == b"No such key REDACTED"
    assert redact_response(Response(401, KEY), (KEY,)).reason == b"REDACTED"


def test_the_session_and_the_scope_are_scrubbed_and_the_scope_is_that_of_the_redacted_call() -> None:
    asked = request((b"api-key", b"secret-0123"), target=b"/v1/threads/secret-0123/runs")
    kept = redact(Interaction(0, 0, asked, None, scope="secret-0123", session="of secret-0123 ü"))
    assert (kept.scope, kept.session) == ("REDACTED", "of REDACTED ü")
    assert kept.scope == scope_of(kept.request, kept.response)
    created = Response(200, body=Body.of(b'{"id": "secret-0123"}'))
    kept = redact(Interaction(0, 0, request((b"api-key", b"secret-0123")), created, scope="secret-0123"))
    assert kept.scope == "REDACTED"
    kept = redact(Interaction(0, 0, request((b"api-key", b"secret-0123")), created, scope="thread_abc", session="s"))
    assert (kept.scope, kept.session) == ("thread_abc", "s")


@pytest.mark.parametrize("text", ["", "plain", "grün\udce9", "\ud800", "é-secret-0123", "\udce9secret-0123"])
def test_any_text_can_be_scrubbed(text: str) -> None:
    assert scrub_text(text, (b"other-0123",)) == text
    assert "secret-0123" not in scrub_text(text, (b"secret-0123",))


def test_a_value_that_begins_within_a_character_leaves_no_bad_text() -> None:
    assert scrub_text("é-secret-0123", (b"\xa9-secret-0123",)).encode().endswith(b"REDACTED")


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        (b"Location", b"https://h/x?a=1&sig=abcdefgh%2B1#y", b"https://h/x?a=1&sig=REDACTED#y"),
        (b"Location", b"/x?api-key=abcdefgh1", b"/x?api-key=REDACTED"),
        (b"Location", b"?api-key=abcdefgh1", b"?api-key=REDACTED"),
        (b"Location", b"https://h/cb#access_token=abcdefgh1&x=1", b"https://h/cb#access_token=REDACTED&x=1"),
        (b"Operation-Location", b"https://user:abcdefgh1@h:1/x", b"https://REDACTED@h:1/x"),
        (b"Content-Location", b"//abcdefgh1@h/x?y=1", b"//REDACTED@h/x?y=1"),
        (b"Referer", b"http://h/?key=abcdefgh1;a=b", b"http://h/?key=REDACTED;a=b"),
        (
            b"Link",
            b'<https://h/a?token=abcdefgh1>; rel="next", </b?page_token=p&sig=abcdefgh2>; rel=prev',
            b'<https://h/a?token=REDACTED>; rel="next", </b?page_token=p&sig=REDACTED>; rel=prev',
        ),
        (b"X-Note", b"see https://h/@name/x?limit=5, or /y?order=asc", None),
        (b"Accept", b"*/*", None),
        (b"User-Agent", b"bot/1 (+https://h.test/bot; me@h.test)", None),
    ],
)
def test_urls_in_header_values_lose_their_slots_and_user_info(name: bytes, value: bytes, kept: bytes | None) -> None:
    assert redact_response(Response(200, headers=((name, value),))).headers == ((name, kept or value),)
    assert redact_request(request((name, kept or value))).headers == ((name, kept or value),)
    asked = redact_request(request((name, value), body=b"abcdefgh1 abcdefgh2 abcdefgh+1"))
    assert asked.headers == ((name, kept or value),)
    if kept is not None:
        assert b"REDACTED" in asked.body.read()
        assert (
            redact_response(Response(302, headers=((name, value),), body=Body.of(b"abcdefgh1 abcdefgh2 abcdefgh+1")))
            .body.read()
            .count(b"REDACTED")
        )


def test_the_secrets_of_a_response_are_those_that_are_taken_out_of_it() -> None:
    headers: Headers = (
        (b"Set-Cookie", b"sid=cookie-value; Path=/"),
        (b"Location", b"https://u:pass%2Bword1@h/?sig=sig-value"),
        (b"x-request-id", b"req_0123456789"),
    )
    found = secrets_of_response(headers)
    assert {b"cookie-value", b"pass+word1", b"pass%2Bword1", b"sig-value"} <= set(found)
    assert not any(b"req_" in needle for needle in found)
    both = joined(found, secrets_of(request((b"api-key", KEY))))
    assert {*found, KEY} <= set(both)
    assert list(both) == sorted(both, key=len, reverse=True)
    assert joined(found, ()) == joined((), found) == found


@pytest.mark.parametrize(
    ("target", "kept"),
    [
        (b"/x?a=b;api-key=abc", b"/x?a=b;api-key=REDACTED"),
        (b"/x?api-key=abc;a=b&c=d", b"/x?api-key=REDACTED;a=b&c=d"),
        (b"/x?password=ab;cd&c=d", b"/x?password=REDACTED&c=d"),
        (b"/x?next=/y?api-key=abc&c=d", b"/x?next=/y?api-key=REDACTED&c=d"),
        (b"/x?a;b=1;;c&d?", b"/x?a;b=1;;c&d?"),
    ],
)
def test_a_semicolon_separates_too(target: bytes, kept: bytes) -> None:
    assert redact_target(target) == kept
    assert redact_target(kept) == kept


def test_what_may_or_may_not_belong_to_a_hidden_value_is_looked_for_in_both_readings() -> None:
    asked = request(target=b"/x?password=abcdefgh;ijklmnop", body=b"abcdefgh;ijklmnop abcdefgh")
    assert redact_request(asked).body.read() == b"REDACTED REDACTED"


@pytest.mark.parametrize(
    "spelling",
    [
        quote(b"p/ss+w=rd&<ok>"),
        quote(b"p/ss+w=rd&<ok>", safe=""),
        quote(b"p/ss+w=rd&<ok>").lower(),
        quote(b"p/ss+w=rd&<ok>", safe="").lower(),
        "p/ss\\u002Bw=rd\\u0026\\u003Cok\\u003E",
        "p/ss+w=rd\\u0026\\u003cok\\u003e",
        "p\\/ss+w=rd&<ok>",
        "p/ss+w=rd&<ok>",
    ],
)
def test_a_secret_is_found_as_others_spell_it(spelling: str) -> None:
    asked = request((b"api-key", b"p/ss+w=rd&<ok>"), body=f"see {spelling}.".encode())
    assert redact_request(asked).body.read() == b"see REDACTED."


@given(
    st.binary(max_size=7), st.binary(max_size=7), st.sampled_from([b"secret-0", b"\xfb\xff\xfe\xfb\xff\xfe??>>", KEY])
)
def test_a_secret_is_found_within_base64(before: bytes, after: bytes, secret: bytes) -> None:
    for spelled in (base64.b64encode, base64.urlsafe_b64encode):
        asked = request((b"api-key", secret), body=b'"' + spelled(before + secret + after) + b'"')
        kept = redact_request(asked).body.read()
        assert b"REDACTED" in kept
        left = len(asked.body) - (len(kept) - len(b"REDACTED"))
        assert left >= len(secret) * 8 // 6 - 1, "no more than the characters shared with what stands beside"


def test_the_password_of_a_basic_credential_is_found_elsewhere() -> None:
    asked = request(
        (b"Authorization", b"basic " + base64.b64encode(b"someone:hunter2:hunter2")),
        body=b"hunter2:hunter2 someone:hunter2:hunter2 someone",
    )
    assert redact_request(asked).body.read() == b"REDACTED REDACTED someone"
    alone = request((b"Authorization", b"Basic " + base64.b64encode(b"sk-0123456789:")), body=b"sk-0123456789")
    assert redact_request(alone).body.read() == b"REDACTED"
    redact_request(request((b"Authorization", b"Basic \xff\xfe*"), (b"Authorization", b"Basic AAAAA"), body=b"x"))


@pytest.mark.parametrize(
    "word", ["required", "additionalProperties", "properties", "anything", "function", "Assistant"]
)
def test_a_common_word_as_a_key_rewrites_no_schema(word: str) -> None:
    body = json.dumps({"type": "object", word: [word], "x": base64.b64encode(word.encode()).decode()}).encode()
    kept = redact_request(request((b"Authorization", f"Bearer {word}".encode()), body=body))
    assert kept.headers == ((b"Authorization", b"Bearer REDACTED"),)
    assert kept.body.read() == body


def test_hostile_headers_take_no_longer_than_their_length() -> None:
    began = time.process_time()
    for value in (
        b"//" * 50_000,
        b"//" + b"a" * 100_000,
        b"https://" + b"?a=1;" * 20_000,
        b"?" * 100_000,
        b"//@" * 9_000,
    ):
        redact_request(request((b"x-note", value)))
    redact_request(request(target=b"/x?key=1" + b";" * 100_000))
    assert time.process_time() - began < 3


PASTED = b"ghp_aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zaB3dE5"


def test_a_key_in_the_wrong_place_goes_too() -> None:
    """As a header's name, as the method, in what a slot leaves standing of a cookie."""
    asked = Request(PASTED.decode(), b"/v1/threads", ((PASTED, b"1"), (b"Cookie", PASTED + b"=1; b=2")), Body.of(b""))
    answered = Response(
        200,
        b"",
        ((PASTED, b"1"), (b"Set-Cookie", PASTED + b"=1; Path=/"), (b"Set-Cookie", b"a=b; Path=/" + PASTED)),
        Body.of(b""),
    )
    kept = redact(Interaction(0, 0, asked, answered))
    assert PASTED.decode() not in repr(kept)
    assert kept.response.headers[1:] == (
        (b"Set-Cookie", b"REDACTED=REDACTED; Path=/"),
        (b"Set-Cookie", b"a=REDACTED; Path=/REDACTED"),
    )
    assert redact(kept) == kept


@pytest.mark.parametrize("name", [b"X-DB-Pass", b"pass", b"X-OTP", b"X-CSRF", b"X-XSRF", b"passcode"])
def test_more_names_of_a_slot(name: bytes) -> None:
    kept = redact_request(request((name, b"open sesame"), target=b"/v1?" + name.lower() + b"=sesame&a=1"))
    assert kept.headers == ((name, b"REDACTED"),)
    assert kept.target == b"/v1?" + name.lower() + b"=REDACTED&a=1"
    for harmless in (b"X-Bypass", b"X-Compass", b"X-Option"):
        assert redact_request(request((harmless, b"north west"))).headers == ((harmless, b"north west"),)


@pytest.mark.parametrize("prefix", [b"", b"x-", b"X-Api-", b"x_my_own_", b"x-acme-of-mine-"])
def test_a_key_that_is_written_onto_the_name_of_a_header_goes(prefix: bytes) -> None:
    key = b"ghp_aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zaB3dE5"
    request = Request("GET", b"/", ((prefix + key, b"1"), (b"x-ratelimit-remaining-requests", b"9")))
    kept = redact_request(request).headers
    assert kept == ((prefix + b"REDACTED", b"1"), (b"x-ratelimit-remaining-requests", b"9"))


@pytest.mark.parametrize("target", [b"/v1/threads/%b/messages", b"/v1/%b/messages"])
def test_a_key_in_the_path_names_no_scope_and_calls_of_one_key_are_of_one_scope(target: bytes) -> None:
    made = Cleaning(PLAIN, Pseudonyms(b"k" * 32))
    scopes = set()
    for key in (b"ghp_aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zaB3dE5", b"ghp_zY9xW7vU5tS3rQ1pO9nM7lK5jH3gF1dD9cB7a"):
        asked = Request("GET", target % key)
        kept = redact(Interaction(0, 0, asked, None, scope=scope_of(asked, None)), made)
        assert key.decode() not in repr(kept)
        scopes.add(kept.scope)
    assert len(scopes) == 1
    assert scopes.pop().endswith("rsp_github")
