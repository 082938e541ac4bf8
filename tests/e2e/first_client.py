"""A program of the API's first version, for the last `openai` package that speaks it; `test_first_client` runs it.

    python -I -S first_client.py FOLDER_OF_PACKAGES BASE_URL

`-I -S` leaves only the standard library, so that nothing but FOLDER_OF_PACKAGES is imported. Prints one JSON object: the
package's version, and for the sync and the async client what the program saw and how long it was told to wait.
"""

import asyncio
import inspect
import json
import sys
import time

sys.path.insert(0, sys.argv[1])

import openai

LOOKUP = {
    "type": "function",
    "function": {
        "name": "lookup_order",
        "description": "Find an order by its number.",
        "parameters": {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]},
    },
}


async def settle(value):
    return await value if inspect.isawaitable(value) else value


async def collect(pages):
    if hasattr(pages, "__aiter__"):
        return [item async for item in pages]
    return list(pages)


def plain(value):
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    return [plain(item) for item in value] if isinstance(value, list) else value


async def watch(manager):
    """See a stream to its end through the SDK's helper; returns the run and the names of its events."""
    names = []
    if hasattr(manager, "__aenter__"):
        async with manager as stream:
            async for event in stream:
                names.append(event.event)
    else:
        with manager as stream:
            for event in stream:
                names.append(event.event)
    return stream.current_run, names


def outputs(run):
    return [
        {"tool_call_id": call.id, "output": json.dumps({"of": call.function.name})}
        for call in run.required_action.submit_tool_outputs.tool_calls
    ]


async def converse(client):
    """Every operation of the first version, as this SDK calls them."""
    seen = []

    def take(label, value):
        seen.append([label, plain(value)])
        return value

    async def error(label, call):
        try:
            await settle(call())
        except openai.APIStatusError as caught:
            seen.append([label, type(caught).__name__, caught.status_code, str(caught), caught.code, caught.param])
        else:
            raise SystemExit(f"{label}: no error")

    threads = client.beta.threads
    file = take("upload", await settle(client.files.create(file=("receipt.txt", b"order 118\n"), purpose="assistants")))
    assistant = take(
        "assistant", await settle(client.beta.assistants.create(model="gpt-4", tools=[LOOKUP, {"type": "retrieval"}]))
    )
    thread = take("thread", await settle(threads.create(messages=[{"role": "user", "content": "Hello."}])))
    take("thread again", await settle(threads.retrieve(thread.id)))
    take("thread changed", await settle(threads.update(thread.id, metadata={"customer": "118"})))
    for number in range(3):
        take("message", await settle(threads.messages.create(thread.id, role="user", content=f"note {number}")))
    question = take(
        "question",
        await settle(
            threads.messages.create(thread.id, role="user", content="Where is order 118?", file_ids=[file.id])
        ),
    )
    take("message files", await collect(threads.messages.files.list(question.id, thread_id=thread.id)))
    take(
        "message file",
        await settle(threads.messages.files.retrieve(file.id, thread_id=thread.id, message_id=question.id)),
    )
    await error(
        "no such file",
        lambda: threads.messages.files.retrieve("file-unknown", thread_id=thread.id, message_id=question.id),
    )
    await error("no such thread", lambda: threads.retrieve("thread_unknown"))
    await error("empty message", lambda: threads.messages.create(thread.id, role="user", content=""))

    run = take("asks", await settle(threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)))
    run = take(
        "answers",
        await settle(
            threads.runs.submit_tool_outputs_and_poll(run_id=run.id, thread_id=thread.id, tool_outputs=outputs(run))
        ),
    )
    take("run marked", await settle(threads.runs.update(run.id, thread_id=thread.id, metadata={"seen": "yes"})))
    for step in take("steps", await collect(threads.runs.steps.list(run.id, thread_id=thread.id, limit=1))):
        take("step", await settle(threads.runs.steps.retrieve(step.id, thread_id=thread.id, run_id=run.id)))
    messages = take("pages", await collect(threads.messages.list(thread.id, limit=2)))
    take("one message", await settle(threads.messages.retrieve(messages[0].id, thread_id=thread.id)))
    take("marked", await settle(threads.messages.update(messages[0].id, thread_id=thread.id, metadata={"seen": "yes"})))

    streamed, names = await watch(threads.runs.create_and_stream(thread_id=thread.id, assistant_id=assistant.id))
    take("events", names)
    if streamed.status == "requires_action":
        _, names = await watch(
            threads.runs.submit_tool_outputs_stream(
                thread_id=thread.id, run_id=streamed.id, tool_outputs=outputs(streamed)
            )
        )
        take("events after the outputs", names)
    asked = {"messages": [{"role": "user", "content": "All at once."}]}
    retried = {"sandbox_script": 'http 429 retry-after 0.05 times 2; say "third time lucky"'}
    started = await settle(threads.create_and_run(assistant_id=assistant.id, thread=asked, metadata=retried))
    take("retried", await settle(threads.runs.poll(started.id, thread_id=started.thread_id)))
    slow = await settle(
        threads.runs.create(thread.id, assistant_id=assistant.id, metadata={"sandbox_script": "in_progress 60s"})
    )
    take("cancelling", (await settle(threads.runs.cancel(slow.id, thread_id=thread.id))).id)
    while (gone := await settle(threads.runs.retrieve(slow.id, thread_id=thread.id))).status != "cancelled":
        time.sleep(0.005)
    take("cancelled", gone)
    take("runs", await collect(threads.runs.list(thread.id, limit=2)))
    take("thread gone", await settle(threads.delete(thread.id)))
    await error("thread not there", lambda: threads.retrieve(thread.id))
    return seen


def main(base_url):
    told = []
    sleep = time.sleep

    def wait(seconds):
        told.append(seconds)
        sleep(seconds)

    time.sleep = wait  # the package's poll helper, sync and async alike, waits by it
    with openai.OpenAI(base_url=base_url, api_key="sk-test-0123456789abcdef") as client:
        seen = asyncio.run(converse(client))

    async def asynchronous():
        async with openai.AsyncOpenAI(base_url=base_url, api_key="sk-test-0123456789abcdef") as client:
            return await converse(client)

    json.dump(
        {"version": openai.__version__, "waits": told, "sync": seen, "async": asyncio.run(asynchronous())}, sys.stdout
    )


if __name__ == "__main__":
    main(sys.argv[2])
