"""A run that took a minute: its cassette, and the `openai` package that plays it: `python benchmarks/minute.py BASE_URL`.

The client asked every two seconds, as the upstream told it to. Played, `create_and_poll` is timed alone, with the sync and
with the async client, each in a session of its own and for the second time in the process; the milliseconds of both go to
stdout, in this order.
"""

import asyncio
import json
import sys
import time
import warnings
from pathlib import Path

from respool.cassettes.interaction import Body, End, Interaction, Request, Response
from respool.cassettes.scopes import scope_of
from respool.cassettes.summaries import summarise
from respool.cassettes.writer import Writer

SECONDS = 60
POLL_AFTER = 2
POLLS = SECONDS // POLL_AFTER
STATES = 3
"""What the polls told: queued, then 28 times in_progress, then completed."""
BEGAN_US = 1_772_442_000_000_000
THREAD = "thread_minute"
RUN = "run_minute"
ASSISTANT = "asst_minute"


def write_minute(path: Path) -> None:
    """Write the cassette of a run that was created, and then polled for a minute until it was completed."""
    json_type = (b"Content-Type", b"application/json")
    runs = f"/v1/threads/{THREAD}/runs"
    asked = Body.of(json.dumps({"assistant_id": ASSISTANT, "stream": False}).encode())
    calls = [(Request("POST", runs.encode(), (json_type,), asked), "queued")]
    poll = Request("GET", f"{runs}/{RUN}".encode(), (), Body.of(b""))
    calls += [(poll, state) for state in ("queued", *["in_progress"] * (POLLS - 2), "completed")]
    with Writer.create(path, meta={"upstream": "http://upstream.test/v1"}) as writer:
        for number, (request, state) in enumerate(calls):
            body = Body.of(_run(state))
            wait = (b"openai-poll-after-ms", b"%d" % (POLL_AFTER * 1000))
            response = Response(200, b"OK", (json_type, wait, (b"Content-Length", b"%d" % body.length)), body)
            began = BEGAN_US + number * POLL_AFTER * 1_000_000
            interaction = Interaction(
                writer.next_arrival(), began, request, response, End.COMPLETE, 2000, scope_of(request, response)
            )
            writer.append(interaction, summarise(interaction))


def _run(status: str) -> bytes:
    run = {"id": RUN, "object": "thread.run", "thread_id": THREAD, "assistant_id": ASSISTANT, "status": status}
    return json.dumps({**run, "created_at": BEGAN_US // 1_000_000, "instructions": "", "tools": []}).encode()


def play(base_url: str) -> float:
    """Create the run and poll it to its end with the sync client; the seconds that this took."""
    import openai

    with openai.OpenAI(base_url=base_url, api_key="unused") as client:
        began = time.perf_counter()
        run = client.beta.threads.runs.create_and_poll(thread_id=THREAD, assistant_id=ASSISTANT)
        took = time.perf_counter() - began
    return _checked(run.status, took)


async def play_async(base_url: str) -> float:
    """The same with the async client."""
    import openai

    async with openai.AsyncOpenAI(base_url=base_url, api_key="unused") as client:
        began = time.perf_counter()
        run = await client.beta.threads.runs.create_and_poll(thread_id=THREAD, assistant_id=ASSISTANT)
        took = time.perf_counter() - began
    return _checked(run.status, took)


def _checked(status: str, took: float) -> float:
    if status != "completed":
        raise SystemExit(f"the run that was played is {status}, not completed")
    return took


def main(origin: str) -> None:
    warnings.simplefilter("ignore", DeprecationWarning)
    number = time.monotonic_ns()
    # Once before the clock counts: the package imports much of itself at its first call.
    for name in ("first", "second"):
        took = [
            play(f"{origin}/@sync-{number}-{name}/v1"),
            asyncio.run(play_async(f"{origin}/@async-{number}-{name}/v1")),
        ]
    print(*(seconds * 1e3 for seconds in took))


if __name__ == "__main__":
    main(sys.argv[1])
