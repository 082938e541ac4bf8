"""Agents that begin alike, recorded one after the other, replayed at once: the `openai` package, unmodified."""

import asyncio
import json
import re

import openai
import pytest

pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")

KEY = "sk-test-0123456789abcdef"
ID = re.compile(r"\b(?:thread|run|msg|call|step)_[A-Za-z0-9]{12,}\b")
QUESTIONS = ["Where is order 118?", "And order 245?", "What of 301?"]


def plain(value):
    return value.model_dump(mode="json", warnings=False)


class Agent:
    """Asks in a thread of its own: a polled run with a tool, then a streamed one. `seen` is all that it was told after
    its thread was begun."""

    def __init__(self, client, assistant, question):
        self.client = client
        self.threads = client.beta.threads
        self.assistant = assistant
        self.question = question
        self.seen = []

    async def begin(self):
        self.thread = (await self.threads.create()).id

    async def go_on(self):
        threads, thread = self.threads, self.thread
        where = {"thread_id": thread, "assistant_id": self.assistant}
        hello = await threads.messages.create(thread, role="user", content="Hello.")
        asked = await threads.messages.create(thread, role="user", content=self.question)
        script = f'in_progress 20ms; call look({{"for": "{self.question}"}}); say "It is there: {self.question}"'
        run = await threads.runs.create_and_poll(**where, metadata={"sandbox_script": script})
        calls = run.required_action.submit_tool_outputs.tool_calls
        done = await threads.runs.submit_tool_outputs_and_poll(
            run_id=run.id,
            thread_id=thread,
            tool_outputs=[{"tool_call_id": call.id, "output": call.function.arguments} for call in calls],
        )
        self.seen += map(plain, [hello, asked, run, done])
        async with threads.runs.stream(**where, instructions=self.question) as stream:
            async for event in stream:
                self.seen.append([event.event, plain(event.data)])
        said = await threads.messages.list(thread)
        self.seen += map(plain, said.data)
        self.seen.append(plain(await threads.messages.retrieve(said.data[0].id, thread_id=thread)))


def worded(seen):
    """What was told, ids and times aside: those of what was told before two threads differ are of the one handed out."""
    text = re.sub(r'("\w+_at"): [0-9]+', r"\1: 0", json.dumps(seen))
    return ID.sub("ID", text)


async def agents_at(url, assistant=None):
    client = openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0)
    made = assistant or (await client.beta.assistants.create(model="gpt-4o-mini")).id
    return client, made, [Agent(client, made, question) for question in QUESTIONS]


async def test_agents_that_begin_alike_replay_in_any_order(stage, tmp_path):
    path = tmp_path / "agents.cassette"
    async with stage.record(path, seed=7) as recording:
        client, assistant, recorded = await agents_at(recording.url)
        async with client:
            for agent in recorded:
                await agent.begin()
                await agent.go_on()
    for order in ([2, 1, 0], [1, 2, 0]):
        async with stage.replay(path) as replay:
            client, _, replayed = await agents_at(replay.url, assistant)
            async with client:
                for number in order:
                    await replayed[number].begin()
                await asyncio.gather(*(replayed[number].go_on() for number in order))
            assert replay.said == []
        assert [worded(agent.seen) for agent in replayed] == [worded(agent.seen) for agent in recorded]
        # Nobody is told an id of another's.
        told = [set(ID.findall(json.dumps(agent.seen))) for agent in replayed]
        for agent, own in zip(replayed, told, strict=True):
            assert {name for name in own if name.startswith("thread_")} == {agent.thread}
        assert sum(map(len, told)) == len(set().union(*told)) > 20


async def test_without_late_binding_they_do_not(stage, tmp_path):
    path = tmp_path / "agents.cassette"
    async with stage.record(path, seed=7) as recording:
        client, assistant, recorded = await agents_at(recording.url)
        async with client:
            for agent in recorded:
                await agent.begin()
                await agent.go_on()
    async with stage.replay(path, late_binding=False) as replay:
        client, _, replayed = await agents_at(replay.url, assistant)
        async with client:
            for agent in reversed(replayed):
                await agent.begin()
            with pytest.raises(openai.InternalServerError, match="No recording answers"):
                await replayed[0].go_on()
