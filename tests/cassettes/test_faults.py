"""Faults of a replay: which calls are struck, and that sessions do not touch each other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from respool.cassettes.errors import UsageError
from respool.cassettes.fault_rules import Delay, Status
from respool.cassettes.faults import Faults


def test_more_rules_than_a_replay_takes_are_refused():
    with pytest.raises(UsageError):
        Faults(["*: reset"] * 101)


RUN = b"/v1/threads/thread_1/runs/run_1"


@pytest.mark.parametrize(
    ("where", "struck"),
    [
        ("getRun", [1, 2, 3, 4, 5]),
        ("*", [1, 2, 3, 4, 5]),
        ("getRun#2", [2]),
        ("getRun#2-3", [2, 3]),
        ("getRun#4+", [4, 5]),
        ("GET /threads/*/runs/*", [1, 2, 3, 4, 5]),
        ("GET /**", [1, 2, 3, 4, 5]),
        ("GET /threads/*", []),
        ("POST /threads/*/runs/*", []),
        ("listRuns", []),
        ("stream", []),
        ("getRun%0", []),
        ("getRun%100", [1, 2, 3, 4, 5]),
    ],
)
def test_where_and_when_a_rule_strikes(where, struck):
    counts = Faults([f"{where}: reset"]).counts("default")
    assert [n for n in range(1, 6) if counts.call("GET", RUN + b"?x=1", streams=False)] == struck


def test_of_each_kind_the_first_rule_that_strikes_counts():
    counts = Faults(["getRun: delay 1s", "*: delay 2s", "*: status 429", "*: status 500"]).counts("a")
    effects = [rule.effect for rule in counts.call("GET", RUN, streams=False)]
    assert effects == [Delay(1.0), Status(429)]


def drawn(seed: int, session: str, times: int = 400) -> list[bool]:
    counts = Faults(["getRun%25: status 500"], seed=seed).counts(session)
    return [bool(counts.call("GET", RUN, streams=False)) for _ in range(times)]


def test_chances_come_near_to_what_they_say_and_differ_by_seed_and_session():
    assert 70 <= sum(drawn(0, "a")) <= 130
    assert drawn(0, "a") != drawn(1, "a")
    assert drawn(0, "a") != drawn(0, "b")


def test_instances_of_a_session_meet_the_same_faults():
    assert drawn(0, "refund~gw1") == drawn(0, "refund~gw2") == drawn(0, "refund")


@given(st.lists(st.sampled_from("abc"), max_size=60), st.integers())
def test_sessions_do_not_touch_each_other(order, seed):
    faults = Faults(["getRun%30: status 500", "getRun%50: delay 1s", "*#2: reset"], seed=seed)
    counts = {name: faults.counts(name) for name in "abc"}
    mixed = {name: [] for name in "abc"}
    for name in order:
        mixed[name].append(counts[name].call("GET", RUN, streams=False))
    for name in "abc":
        alone = Faults(faults.rules, seed=seed).counts(name)
        assert mixed[name] == [alone.call("GET", RUN, streams=False) for _ in range(order.count(name))]
