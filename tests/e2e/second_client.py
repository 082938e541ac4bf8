"""A program of the API's second version, for any `openai` package that speaks it; `test_client_versions` runs it.

    python -I -S second_client.py FOLDER_OF_PACKAGES BASE_URL...

`-I -S` leaves only the standard library, so that nothing but FOLDER_OF_PACKAGES is imported. Prints a JSON object a line, one
for each BASE_URL: the package's version, and for the sync and the async client what the program saw. Of an object it tells
the fields that came, not those that this version of the package has names for.
"""

import asyncio
import inspect
import json
import sys
import warnings

sys.path.insert(0, sys.argv[1])

import openai

LOOKUP = {
    "type": "function",
    "function": {"name": "lookup_order", "parameters": {"type": "object", "properties": {"id": {"type": "integer"}}}},
}


async def settle(value):
    return await value if inspect.isawaitable(value) else value


async def collect(items):
    if hasattr(items, "__aiter__"):
        return [item async for item in items]
    return list(items)


def plain(value):
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", exclude_unset=True, warnings=False)
    return [plain(item) for item in value] if isinstance(value, list) else value


async def watch(manager):
    """See a stream to its end through the SDK's helper; returns the run and all its events."""
    if hasattr(manager, "__aenter__"):
        async with manager as stream:
            events = await collect(stream)
    else:
        with manager as stream:
            events = list(stream)
    return stream.current_run, events


def outputs(run):
    return [
        {"tool_call_id": call.id, "output": json.dumps({"état": call.function.name})}
        for call in run.required_action.submit_tool_outputs.tool_calls
    ]


async def converse(client):
    """Threads, polled and streamed runs with a tool, retries, lists in pages, errors."""
    seen = []

    def take(label, value):
        seen.append([label, plain(value)])
        return value

    threads = client.beta.threads
    file = take("upload", await settle(client.files.create(file=("receipt.txt", b"order 118\n"), purpose="assistants")))
    assistant = take("assistant", await settle(client.beta.assistants.create(model="gpt-4o", tools=[LOOKUP])))
    asked = [{"role": "user", "content": "Grüße, 你好 👋"}]
    thread = take("thread", await settle(threads.create(messages=asked, metadata={"customer": "118"})))
    for number in range(3):
        take("message", await settle(threads.messages.create(thread.id, role="user", content=f"note {number}/é")))
    attached = [{"file_id": file.id, "tools": [{"type": "file_search"}]}]
    question = {"role": "user", "content": "Where is order 118?", "attachments": attached}
    take("question", await settle(threads.messages.create(thread.id, **question)))

    run = take("asks", await settle(threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)))
    of_run = {"thread_id": thread.id, "run_id": run.id}
    submitted = threads.runs.submit_tool_outputs_and_poll(**of_run, tool_outputs=outputs(run))
    take("answers", await settle(submitted))
    for step in take("steps", await collect(threads.runs.steps.list(run.id, thread_id=thread.id, limit=1))):
        take("step", await settle(threads.runs.steps.retrieve(step.id, **of_run)))
    take("pages", await collect(threads.messages.list(thread.id, limit=2)))

    take("asked again", await settle(threads.messages.create(thread.id, role="user", content="And order 119?")))
    run, events = await watch(threads.runs.stream(thread_id=thread.id, assistant_id=assistant.id, temperature=1))
    take("events", events)
    of_run = {"thread_id": thread.id, "run_id": run.id}
    _, events = await watch(threads.runs.submit_tool_outputs_stream(**of_run, tool_outputs=outputs(run)))
    take("events after the outputs", events)
    create = {"assistant_id": assistant.id, "thread": {"messages": asked}, "tools": []}
    take("raw events", await collect(await settle(threads.create_and_run(**create, stream=True))))

    retried = {"sandbox_script": 'http 429 retry-after 0.05 times 2; say "third time lucky"'}
    polled = threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id, metadata=retried)
    take("retried", await settle(polled))
    take("thread gone", await settle(threads.delete(thread.id)))
    try:
        await settle(threads.retrieve(thread.id))
    except openai.NotFoundError as error:
        take("not there", [error.status_code, error.response.json(), error.code])
    return seen


def main(base_url):
    warnings.simplefilter("ignore", DeprecationWarning)
    with openai.OpenAI(base_url=base_url, api_key="sk-test-0123456789abcdef") as client:
        seen = asyncio.run(converse(client))

    async def asynchronous():
        async with openai.AsyncOpenAI(base_url=base_url, api_key="sk-test-0123456789abcdef") as client:
            return await converse(client)

    print(json.dumps({"version": openai.__version__, "sync": seen, "async": asyncio.run(asynchronous())}))


if __name__ == "__main__":
    for url in sys.argv[2:]:
        main(url)
