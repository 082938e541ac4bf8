"""HAR as its specification has it, checked by a reader of our own: each field of HAR 1.2, its kind, and no other but custom ones.

(`test_har_reader` has one of somebody else open it.)
"""

import base64
import json
from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st
from respool.cassettes.exports import FORMATS
from respool.cassettes.interaction import Body, End, Interaction, Request, Response

NUMBER = (int, float)
PAIRS = [{"name": str, "value": str}]
SPEC = {
    "version": str, "creator": {"name": str, "version": str}, "entries": [{
        "startedDateTime": str, "time": NUMBER,
        "request": {"method": str, "url": str, "httpVersion": str, "cookies": [], "headers": PAIRS, "queryString": PAIRS,
                    "headersSize": int, "bodySize": int, "postData?": {"mimeType": str, "params": [], "text": str}},
        "response": {"status": int, "statusText": str, "httpVersion": str, "cookies": [], "headers": PAIRS,
                     "content": {"size": int, "mimeType": str, "text?": str, "encoding?": str},
                     "redirectURL": str, "headersSize": int, "bodySize": int},
        "cache": {},
        "timings": {"blocked": NUMBER, "dns": NUMBER, "connect": NUMBER, "send": NUMBER, "wait": NUMBER, "receive": NUMBER,
                    "ssl": NUMBER},
    }],
}  # fmt: skip
"""Sections of http://www.softwareishard.com/blog/har-12-spec/, those of optional fields that are written marked `?`."""


def check(value, spec, where="log"):
    if isinstance(spec, dict):
        assert isinstance(value, dict), where
        known = {name.rstrip("?"): (below, name.endswith("?")) for name, below in spec.items()}
        assert {name for name in value if not name.startswith("_")} <= known.keys(), where
        for name, (below, optional) in known.items():
            if name in value or not optional:
                check(value[name], below, f"{where}.{name}")
    elif isinstance(spec, list):
        assert isinstance(value, list), where
        assert spec or not value, where
        for item in value:
            check(item, spec[0], where + "[]")
    else:
        assert isinstance(value, spec), where
        assert not isinstance(value, bool), where


def log_of(reader) -> dict:
    top = json.loads("".join(FORMATS["har"](reader)))
    assert top.keys() == {"log"}
    check(top["log"], SPEC)
    return top["log"]


def call(**response) -> Interaction:
    request = Request("POST", b"/v1/threads?a=1&a=&b=%C3%A9", ((b"Content-Type", b"application/json"),), Body.of(b"{}"))
    answer = Response(**({"status": 200, "reason": b"OK", "body": Body.of(b"{}"), "head_us": 1_500} | response))
    return Interaction(0, 1_700_000_000_123_456, request, answer, duration_us=2_750)


def test_a_call_is_spelled_as_the_specification_has_it(made):
    log = log_of(made(call(headers=((b"Content-Type", b"application/json; charset=utf-8"), (b"Location", b"/x")))))
    assert log["version"] == "1.2"
    (entry,) = log["entries"]
    assert entry["startedDateTime"] == "2023-11-14T22:13:20.123456Z"
    assert datetime.fromisoformat(entry["startedDateTime"]).timestamp() == 1_700_000_000.123456
    assert (entry["time"], entry["timings"]["wait"], entry["timings"]["receive"]) == (2.75, 1.5, 1.25)
    assert entry["request"]["url"] == "https://api.example.com/v1/threads?a=1&a=&b=%C3%A9"
    assert [tuple(pair.values()) for pair in entry["request"]["queryString"]] == [("a", "1"), ("a", ""), ("b", "é")]
    assert entry["request"]["postData"] == {"mimeType": "application/json", "params": [], "text": "{}"}
    assert entry["response"]["redirectURL"] == "/x"
    assert entry["response"]["content"] == {"size": 2, "mimeType": "application/json; charset=utf-8", "text": "{}"}


def test_a_body_that_is_no_text_is_base64_and_a_decoded_one_has_no_size_of_the_wire(made):
    (entry,) = log_of(made(call(body=Body.of(b"\x89PNG\xff"), coding="gzip")))["entries"]
    content = entry["response"]["content"]
    assert (content["encoding"], base64.b64decode(content["text"])) == ("base64", b"\x89PNG\xff")
    assert (content["size"], entry["response"]["bodySize"]) == (5, -1)


def test_a_call_without_an_answer_has_status_0_as_in_browsers(made):
    request = Request("GET", b"/v1/threads/t")
    (entry,) = log_of(made(Interaction(0, 1, request, None, End.CLIENT_CUT, duration_us=1000)))["entries"]
    assert entry["response"]["status"] == 0
    assert "client_cut" in entry["response"]["_error"]


def test_times_that_no_calendar_has_are_still_dates(made):
    interaction = Interaction(0, (1 << 63) - 1, Request("GET", b"/v1/threads/t"), None, End.PROXY_CUT)
    (entry,) = log_of(made(interaction))["entries"]
    assert datetime.fromisoformat(entry["startedDateTime"]).year == 9999
    assert entry["_respool"]["started_us"] == (1 << 63) - 1


@given(st.binary(max_size=30), st.binary(max_size=30), st.binary(max_size=30), st.text(max_size=20))
def test_any_call_gives_valid_har_in_ascii(made, target, body, value, upstream):
    request = Request("POST", b"/" + target, ((b"x", value), (b"content-type", value)), Body.of(body))
    interaction = Interaction(0, 1, request, Response(200, value, ((b"location", value),), Body.of(body)))
    reader = made(interaction, upstream=upstream)
    log_of(reader)
    assert "".join(FORMATS["har"](reader)).isascii()
