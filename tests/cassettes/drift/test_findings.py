"""Findings: one a cause, told where it was met first, safe to be shown."""

import json

from respool.cassettes.drift.findings import MOST, Findings
from respool.cassettes.drift.shapes import Unlike


def add(findings, unlike, **where):
    findings.add(unlike, **{"scope": "thread_1", "number": 2, "call": "createRun", "arrival": 7, **where})


def test_one_cause_in_many_answers_is_one_finding():
    findings = Findings()
    for call in ("createRun", "getRun", "getRun"):
        add(findings, Unlike("field missing", "$.usage", "object", "nothing", ("usage",)), call=call)
    add(findings, Unlike("status", "", "200", "404", ()), number=0)
    add(findings, Unlike("status", "", "200", "404", ()), number=3)
    assert [str(finding) for finding in findings] == [
        "thread_1, write 2, createRun: field missing $.usage: recorded object, upstream nothing (in 3 answers)",
        "thread_1, before any write, createRun: status: recorded 200, upstream 404",
        "thread_1, write 3, createRun: status: recorded 200, upstream 404",
    ]
    assert len(findings) == 3


def test_a_finding_is_a_line_of_json():
    findings = Findings()
    add(findings, Unlike("status", "", "200", "404", ()), scope="thread_\u202e\n")
    (line,) = [finding.to_json() for finding in findings]
    assert "\n" not in line
    assert line.isascii()
    assert list(json.loads(line)) == [
        "what",
        "scope",
        "write",
        "call",
        "path",
        "recorded",
        "upstream",
        "answers",
        "arrival",
    ]


def test_nothing_foreign_acts_on_a_screen():
    findings = Findings()
    add(findings, Unlike("status", "$.\x1b", "\x1b[2J", "\u202e\n", ()), scope="\x1b]0;x\x07", call="GET /\x9b")
    (line,) = map(str, findings)
    assert line.isprintable()
    assert line.isascii()


def test_findings_without_end_are_counted():
    findings = Findings()
    for number in range(MOST + 5):
        add(findings, Unlike("status", "", "200", "404", ()), number=number)
    assert len(list(findings)) == MOST
    assert findings.left_out == 5
    assert len(findings) == MOST + 5
