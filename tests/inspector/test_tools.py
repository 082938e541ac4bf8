import pytest
from respool.cassettes.folding import fold
from respool.cassettes.reader import Reader
from respool.inspector.exchanges import Gathered, Submit
from respool.inspector.tools import FAULTS, paired, tools

AT = "/threads/thread_a/runs/run_1"


def told(path):
    found = Gathered()
    with Reader.open(path) as reader:
        return fold(reader, "thread_a", seen=found.seen), found.submits


def recorded(made, cassette, *sent, asked='{"id": 1}', final="completed", status=200):
    tool = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": asked}}
    action = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": [tool]}}
    calls = [
        *made.thread("thread_a"),
        made.call(
            "POST /threads/thread_a/runs", {}, made.run("run_1", "requires_action", required_action=action), at=1.0
        ),
        *(
            made.call(
                f"POST {AT}/submit_tool_outputs",
                {"tool_outputs": [{"tool_call_id": name, "output": "ok"}]},
                made.run("run_1", "queued") if status < 400 else {"error": {"message": "expired"}},
                status=status,
                at=3.5,
            )
            for name in sent
        ),
        made.call(f"GET {AT}", None, made.run("run_1", final), at=9.0),
    ]
    return told(cassette(*calls))


@pytest.mark.parametrize(
    ("sent", "more", "faults"),
    [
        (["call_1"], {}, {"call_1": ()}),
        ([], {}, {"call_1": ("missing",)}),
        (["call_1", "call_9"], {}, {"call_1": (), "call_9": ("orphan",)}),
        (["call_1", "call_1"], {}, {"call_1": ("duplicate",)}),
        (["call_1"], {"status": 400, "final": "expired"}, {"call_1": ("missing", "late")}),
        (["call_1"], {"asked": "{id: 1"}, {"call_1": ("arguments",)}),
    ],
    ids=["well", "missing", "orphan", "duplicate", "late", "arguments"],
)
def test_each_fault_is_found(made, cassette, sent, more, faults):
    conversation, submits = recorded(made, cassette, *sent, **more)
    found = {pair.call.id: pair.faults for pair in paired(conversation, submits)}
    if "late" in faults.get("call_1", ()):
        assert "late" in found["call_1"]
    else:
        assert found == faults
    shown = "\n".join(line.text for line in tools(conversation, submits).lines)
    for fault in {each for names in found.values() for each in names}:
        assert FAULTS[fault] in shown


def submit(arrival, at, *ids, status=200):
    return Submit("run_1", arrival, 1_700_000_000_000_000 + round(at * 1e6), ids, status)


@pytest.mark.parametrize(
    ("submits", "faults"),
    [
        ([submit(2, 3, "call_1", status=400), submit(3, 4, "call_1")], {"call_1": ("refused",)}),
        ([submit(2, 3, "call_1"), submit(3, 4, "call_1", status=400)], {"call_1": ("late",)}),
        ([submit(2, 3, "call_7", status=400), submit(3, 4, "call_1")], {"call_1": (), "call_7": ("orphan",)}),
    ],
    ids=["refused, then taken", "taken, then sent again too late", "for a call that nobody asked for"],
)
def test_outputs_that_were_refused_are_told_by_what_became_of_them(made, cassette, submits, faults):
    conversation, _ = recorded(made, cassette, "call_1")
    assert {pair.call.id: pair.faults for pair in paired(conversation, submits)} == faults
    took = next(paired(conversation, submits)).took_us
    assert took == next(each.at_us for each in submits if each.status == 200) - 1_700_000_001_000_000, (
        "of what was taken"
    )


def test_the_clients_own_time_is_told(made, cassette):
    conversation, submits = recorded(made, cassette, "call_1")
    assert next(paired(conversation, submits)).took_us == 2_500_000
    assert "client 2.5 s" in "\n".join(line.text for line in tools(conversation, submits).lines)


def test_a_thread_without_tools_says_so(made, cassette):
    assert "No tool was called" in tools(*told(cassette(*made.thread("thread_a")))).lines[0].text
