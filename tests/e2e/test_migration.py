"""The guide that leads from VCR.py to respool, run as it stands."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

GUIDE = (Path(__file__).parents[2] / "docs" / "migrate-from-vcrpy.md").read_text()


def block(title: str) -> str:
    """The code that the guide shows under a title."""
    found = re.search(rf"```\w+ title={title}\n(.*?)```", GUIDE, re.DOTALL)
    assert found is not None
    return found[1]


def recorded(method: str, path: str, answer: dict, body: dict | None = None) -> dict:
    """An interaction as VCR.py writes it."""
    return {
        "request": {
            "method": method,
            "uri": "https://api.openai.com/v1" + path,
            "body": json.dumps(body) if body else None,
            "headers": {"Content-Type": ["application/json"], "OpenAI-Beta": ["assistants=v2"]},
        },
        "response": {
            "status": {"code": 200, "message": "OK"},
            "headers": {"Content-Type": ["application/json"]},
            "body": {"string": json.dumps(answer)},
        },
    }


@pytest.fixture
def project(tmp_path):
    """A project with a suite and a recording of VCR.py."""
    run = {"id": "run_1", "object": "thread.run", "thread_id": "thread_1", "assistant_id": "asst_abc123"}
    text = {"type": "text", "text": {"value": "Your order has shipped.", "annotations": []}}
    message = {
        "id": "msg_2",
        "object": "thread.message",
        "thread_id": "thread_1",
        "role": "assistant",
        "content": [text],
    }
    ask = {"messages": [{"role": "user", "content": "Where is order 118?"}]}
    calls = [
        recorded("POST", "/threads", {"id": "thread_1", "object": "thread", "created_at": 1, "metadata": {}}, ask),
        recorded("POST", "/threads/thread_1/runs", {**run, "status": "queued"}, {"assistant_id": "asst_abc123"}),
        *(
            recorded("GET", "/threads/thread_1/runs/run_1", {**run, "status": status})
            for status in ("queued", "in_progress", "completed")
        ),
        recorded("GET", "/threads/thread_1/messages", {"object": "list", "data": [message], "has_more": False}),
    ]
    (tmp_path / "cassettes").mkdir()
    (tmp_path / "cassettes" / "refund.yaml").write_text(yaml.safe_dump({"interactions": calls, "version": 1}))
    (tmp_path / "shop.py").write_text(block("shop"))
    (tmp_path / "test_refund.py").write_text(block("before"))
    return tmp_path


def run(project: Path, command: str) -> subprocess.CompletedProcess[str]:
    """One command of the guide, with this Python's programs."""
    program, *arguments = command.split()
    module = [sys.executable, "-m", program]
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:aiohttp", "-W", "ignore"] if program == "pytest" else []
    return subprocess.run(
        [*module, *arguments, *options], cwd=project, capture_output=True, text=True, timeout=120, check=False
    )


def test_a_suite_of_vcrpy_is_migrated_step_by_step(project):
    before = run(project, block("run"))
    assert before.returncode == 0, before.stdout
    imported = run(project, block("import"))
    assert imported.returncode == 0, imported.stderr
    (project / "cassettes" / "refund.yaml").unlink()
    (project / "test_refund.py").write_text(block("after"))
    after = run(project, block("run"))
    assert after.returncode == 0, after.stdout
    assert "1 passed" in after.stdout


def test_the_migrated_suite_says_where_a_changed_request_differs(project):
    assert run(project, block("import")).returncode == 0
    (project / "test_refund.py").write_text(block("after").replace("118", "119"))
    failed = run(project, block("run"))
    assert failed.returncode == 1
    assert "$.messages[0].content" in failed.stdout
    assert "Where is order 119?" in failed.stdout
