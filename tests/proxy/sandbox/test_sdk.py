"""The `openai` package against the sandbox, unchanged: its helpers for polling, streaming and paging."""

import asyncio

import pytest
from respool.proxy.sandbox.server import serve_sandbox

openai = pytest.importorskip("openai")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

FUNCTION = {
    "name": "lookup_order",
    "parameters": {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]},
}
TOOLS = [{"type": "function", "function": FUNCTION}]
QUESTION = {"role": "user", "content": "Where is order 118?"}


def outputs_of(run, output="shipped"):
    calls = run.required_action.submit_tool_outputs.tool_calls
    return [{"tool_call_id": call.id, "output": output} for call in calls]


def sync_tour(url):
    """One client's day: all in one thread of the interpreter, as a script would do it."""
    with openai.OpenAI(base_url=f"{url}/v1", api_key="test") as client:
        file = client.files.create(file=("manual.pdf", b"A manual."), purpose="assistants")
        assert client.files.content(file.id).read() == b"A manual."
        assistant = client.beta.assistants.create(model="gpt-4o", instructions="Help.", tools=TOOLS)
        attachments = [{"file_id": file.id, "tools": [{"type": "file_search"}]}]
        thread = client.beta.threads.create(messages=[QUESTION | {"attachments": attachments}])
        runs = client.beta.threads.runs

        run = runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
        assert run.status == "requires_action"
        run = runs.submit_tool_outputs_and_poll(run_id=run.id, thread_id=thread.id, tool_outputs=outputs_of(run))
        assert run.status == "completed"
        assert run.usage.total_tokens > 0
        steps = list(runs.steps.list(run_id=run.id, thread_id=thread.id))
        assert [step.type for step in steps] == ["message_creation", "tool_calls"]

        client.beta.threads.messages.create(thread.id, role="user", content="And order 119?")
        with runs.stream(thread_id=thread.id, assistant_id=assistant.id) as stream:
            stream.until_done()
            run = stream.current_run
        assert run.status == "requires_action"
        with runs.submit_tool_outputs_stream(
            run_id=run.id, thread_id=thread.id, tool_outputs=outputs_of(run, "lost")
        ) as stream:
            text = "".join(stream.text_deltas)
            assert stream.get_final_run().status == "completed"
            assert stream.get_final_messages()[0].content[0].text.value == text
        assert text == "According to lookup_order: lost"

        for number in range(12):
            client.beta.threads.messages.create(thread.id, role="user", content=str(number))
        listed = list(client.beta.threads.messages.list(thread.id, limit=5, order="asc"))
        assert [message.content[0].text.value for message in listed[-12:]] == [str(number) for number in range(12)]
        assert client.beta.threads.messages.delete(listed[-1].id, thread_id=thread.id).deleted
        assert client.beta.threads.delete(thread.id).deleted
        with pytest.raises(openai.NotFoundError, match="No thread found"):
            client.beta.threads.retrieve(thread.id)


async def test_the_sync_client():
    async with serve_sandbox(speed=50) as running:
        await asyncio.to_thread(sync_tour, running.url)


async def test_the_async_client():
    async with serve_sandbox(speed=50) as running:
        async with openai.AsyncOpenAI(base_url=running.url, api_key="test") as client:
            run = await client.beta.threads.create_and_run_poll(
                assistant_id="asst_abc123", thread={"messages": [QUESTION]}, tools=TOOLS
            )
            assert run.status == "requires_action"
            run = await client.beta.threads.runs.submit_tool_outputs_and_poll(
                run_id=run.id, thread_id=run.thread_id, tool_outputs=outputs_of(run)
            )
            assert run.status == "completed"
            script = 'code "print(1)" -> "1"; say "One [1]." cite "[1]" "file-1" "uno"'
            async with client.beta.threads.create_and_run_stream(
                assistant_id="asst_abc123",
                thread={"messages": [QUESTION]},
                metadata={"sandbox_script": script},
            ) as stream:
                events = [event.event async for event in stream]
                final = await stream.get_final_messages()
                steps = await stream.get_final_run_steps()
            assert (events[0], events[-1]) == ("thread.created", "thread.run.completed")
            assert final[0].content[0].text.annotations[0].file_citation.file_id == "file-1"
            assert steps[0].step_details.tool_calls[0].code_interpreter.input == "print(1)"
            listed = [item.id async for item in client.beta.threads.messages.list(run.thread_id, limit=1)]
            assert len(listed) == 2


async def test_the_client_retries_what_a_script_refuses():
    async with serve_sandbox(speed=50, script='http 429 retry-after 0 times 2; say "At last."') as running:
        async with openai.AsyncOpenAI(base_url=f"{running.url}/v1", api_key="test", max_retries=2) as client:
            run = await client.beta.threads.create_and_run_poll(
                assistant_id="asst_abc123", thread={"messages": [QUESTION]}
            )
        assert run.status == "completed"
        assert [method for method, _ in running.sandbox.requests].count("POST") == 3


async def test_the_client_understands_the_refusals():
    async with serve_sandbox() as running:
        async with openai.AsyncOpenAI(base_url=f"{running.url}/v1", api_key="sk-invalid-x", max_retries=0) as client:
            with pytest.raises(openai.AuthenticationError) as refused:
                await client.beta.threads.create()
            assert refused.value.code == "invalid_api_key"
            with pytest.raises(openai.BadRequestError) as wrong:
                await client.with_options(api_key="x").beta.threads.create(messages=[{"role": "user"}])
            assert wrong.value.param == "messages[0].content"


async def test_a_cancelled_run_ends_the_poll():
    async with serve_sandbox(speed=50, script="in_progress 1h") as running:
        async with openai.AsyncOpenAI(base_url=f"{running.url}/v1", api_key="x") as client:
            thread = await client.beta.threads.create(messages=[QUESTION])
            run = await client.beta.threads.runs.create(thread.id, assistant_id="asst_abc123")
            assert (await client.beta.threads.runs.cancel(run.id, thread_id=thread.id)).status == "cancelling"
            assert (await client.beta.threads.runs.poll(run.id, thread_id=thread.id)).status == "cancelled"
