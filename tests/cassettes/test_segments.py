"""What stands behind `token` or `password` in a path goes, unless it is a word, a version or an id of the API."""

import pytest
from respool.cassettes.interaction import Body, Request
from respool.cassettes.keys import request_key
from respool.cassettes.redaction import redact_request, redact_target
from respool.cassettes.segments import hide_path


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        (b"/v1/password/hunter2", b"/v1/password/REDACTED"),
        (b"/reset/Passwd/s3cret%21x/now", b"/reset/Passwd/REDACTED/now"),
        (b"/token/a1b2c3d4", b"/token/REDACTED"),
        (b"/token/a1b2c3d4?x=1#y", b"/token/REDACTED?x=1#y"),
        (b"/v1/api-key/x9y8z7w6v5/uses", b"/v1/api-key/REDACTED/uses"),
        (b"/bot_token/a1b2c3d4/x", b"/bot_token/REDACTED/x"),
        (b"/secrets%2Fa1b2c3d4", b"/secrets%2FREDACTED"),
    ],
)
def test_a_short_value_behind_such_a_segment_goes(path, kept):
    assert redact_target(path) == kept
    assert redact_target(kept) == kept


@pytest.mark.parametrize(
    "path",
    [
        b"/v1/token/oauth2", b"/token/refresh", b"/password/reset", b"/secrets/s3-bucket-2026", b"/tokens/v2beta1",
        b"/v1/threads/thread_abc123/runs/run_a1b2c3d4", b"/token/thread_a1b2c3d4", b"/tokenize/a1b2c3d4", b"/token/",
        b"/token/REDACTED", b"/password/rsp_password_abcdefgh23456777", b"/keys/a1b2c3d4", b"/monkey/a1b2c3d4",
    ],
)  # fmt: skip
def test_words_versions_ids_and_other_segments_stay(path):
    assert hide_path(path) == (path, ())


def test_it_is_known_elsewhere_in_the_call_and_does_not_count_for_the_key():
    def asked(value: bytes) -> Request:
        return Request("POST", b"/v1/password/" + value, (), Body.of(b'{"note": "it is %b"}' % value))

    kept = redact_request(asked(b"hunter22!"))
    assert kept.target == b"/v1/password/REDACTED"
    assert kept.body.read() == b'{"note": "it is REDACTED"}'
    assert request_key(asked(b"hunter22!")) == request_key(asked(b"other-2-word!")) == request_key(kept)


def test_a_long_path_is_looked_through_once():
    for path in (b"/token" * 20_000, b"/password/" + b"%" * 60_000, b"/token/%2" * 10_000):
        assert len(hide_path(path)[0]) <= len(path)
