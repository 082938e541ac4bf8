"""Why a request was a miss: of a call in a cassette, what its client was told; and how a row names it."""

import pytest
from respool.cassettes.interaction import Interaction, Request
from respool.inspector.document import Document
from respool.inspector.misses import short_path
from respool.inspector.tabs import Tab
from respool.inspector.views import NO_MISS, call_document


@pytest.mark.parametrize(
    ("target", "short"),
    [
        ("/v1/threads/thread_ab/messages?limit=2", "/messages"),
        ("/v1/threads/thread_ab/runs/run_9/steps", "/runs/run_9/steps"),
        ("/v1/threads/thread_ab", "/threads/thread_ab"),
        ("/openai/threads", "/openai/threads"),
        ("/v1/assistants?order=asc", "/v1/assistants"),
        ("", ""),
    ],
)
def test_a_row_names_the_path_behind_its_thread(target, short):
    assert short_path(target) == short


def miss(made, code="respool_miss", status=502):
    told = {"error": {"message": "No recording answers POST \x1b[31m/messages", "code": code, "respool": {}}}
    return made.call("POST /threads/thread_a/messages", {}, told, status=status, at=1.0)


def words(document: Document) -> str:
    return "\n".join(line.text for line in document.lines)


def test_of_a_recorded_miss_there_is_what_its_client_was_told(made):
    said = words(call_document(miss(made), Tab.MISS, "pretty"))
    assert said.startswith("Why this is a miss\n\nNo recording answers POST ")
    assert "\x1b" not in said


@pytest.mark.parametrize(("code", "status"), [("server_error", 502), ("respool_miss", 500)])
def test_another_error_is_no_miss(made, code, status):
    assert call_document(miss(made, code, status), Tab.MISS, "pretty") is NO_MISS


def test_a_call_without_an_answer_is_no_miss():
    assert call_document(Interaction(0, 0, Request("GET", b"/"), None), Tab.MISS, "pretty") is NO_MISS


async def test_w_tells_why_a_call_in_a_cassette_was_a_miss(made, cassette, looking):
    async with looking(cassette(*made.thread("thread_a", "Hello"), miss(made))) as look:
        await look.lists("502  MISS")
        await look.press("G", "w")
        await look.reads("No recording answers POST")
        await look.press("1", "k")
        await look.reads("chosen row is none")
