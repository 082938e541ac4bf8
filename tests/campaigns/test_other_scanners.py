"""Scanners of others find nothing in the exports of a recording that was full of secrets, and much in one that was not cleaned.

What they report of the cleaned one is looked at: it may be a pseudonym, an id of the API, or base64 that says one.
"""

import base64
import binascii
import json
import re
import shutil
import subprocess
from dataclasses import replace
from itertools import islice
from math import gcd
from pathlib import Path

import pytest
from campaign import sized
from detect_secrets import SecretsCollection
from detect_secrets.settings import default_settings
from planted import KINDS, PLACES, in_turn
from respool.cassettes.interaction import Interaction
from respool.cassettes.redaction import redact
from respool.cassettes.scopes import scope_of
from respool.cassettes.secrets.cleaning import Cleaning
from respool.cassettes.secrets.policy import PLAIN
from respool.cassettes.secrets.pseudonyms import Pseudonyms
from respool.cassettes.summaries import summarise
from respool.cassettes.writer import Writer
from respool.cli.main import run

STEP = sized(next(step for step in range(9, 99) if gcd(step, len(KINDS)) == 1), 1)
"""Of the calls that have every kind of secret in every place, which ones: some of each kind."""
EXPORTS = ("har", "jsonl", "curl", "python", "pytest", "markdown", "html")
SECRETLINT = Path(__file__).parent.parent / "e2e" / "secretlint"
HARMLESS = {
    "what stands in place of a secret": rb"REDACTED|rsp_[a-z0-9]{2,20}_[a-z2-7]{16}",
    "the digest of a script in the policy of a page": rb"sha256-[A-Za-z0-9+/]{43}=",
    "an id of the API": rb"(?:thread|run|msg|step|asst|call|file)_[A-Za-z0-9]+",
    "a word of the API, or of a program that an export is": rb"[A-Za-z]+|\d{1,13}",
}


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    """The exports of a cassette that keeps all secrets (`raw`) and of one that keeps none (`clean`)."""
    folder = tmp_path_factory.mktemp("scanned")
    cleaning = Cleaning(PLAIN, Pseudonyms(b"k" * 32))
    for name in ("raw", "clean"):
        path = folder / f"{name}.cassette"
        with Writer.create(path) as writer:
            for _, (asked, answered) in islice(in_turn(17, len(PLACES)), 0, None, STEP):
                call = Interaction(writer.next_arrival(), 0, asked, answered)
                call = redact(call, cleaning) if name == "clean" else call
                call = replace(call, scope=scope_of(call.request, call.response))
                writer.append(call, summarise(call))
        (folder / name).mkdir()
        for kind in EXPORTS:
            assert run(["export", f"--{kind}", str(path), str(folder / name / f"export.{kind}")]) == 0
    return folder


def alarms(folder):
    found = SecretsCollection()
    with default_settings():
        for path in sorted(folder.iterdir()):
            found.scan_file(str(path))
    return [(secret.type, secret.secret_value.encode()) for _, secret in found]


def is_harmless(value):
    """Whether nothing is left of a value without what is harmless, in base64 too."""
    for coded in re.findall(rb"[A-Za-z0-9+/]{36,}={0,2}", value):
        try:
            said = base64.b64decode(coded + b"=" * (-len(coded) % 4))
        except binascii.Error:
            continue
        if said.isascii():
            value = value.replace(coded, said)
    value = re.sub(rb"\\+[nrt]|\\+u00..", b" ", value)
    for reason in HARMLESS.values():
        value = re.sub(rb"(?<![A-Za-z0-9])(?:" + reason + rb")(?![A-Za-z0-9])", b" ", value)
    return re.search(rb"[A-Za-z0-9]{9,}", value) is None


def test_detect_secrets_finds_what_is_there_and_nothing_where_it_was_taken_out(exports):
    raw = alarms(exports / "raw")
    kinds = {kind for kind, _ in raw}
    assert kinds >= {
        "GitHub Token",
        "JSON Web Token",
        "Slack Token",
        "Stripe Access Key",
        "Secret Keyword",
        "AWS Access Key",
    }
    assert sum(not is_harmless(value) for _, value in raw) > 100 / STEP
    assert [(kind, value) for kind, value in alarms(exports / "clean") if not is_harmless(value)] == []


def lint(folder, out):
    program = SECRETLINT / "node_modules" / ".bin" / "secretlint"
    if not program.exists() or shutil.which("node") is None:
        pytest.skip("secretlint is not installed: it comes with npm, by `make test`")
    settings = ("--secretlintrc", SECRETLINT / ".secretlintrc.json", "--format", "json", "--output", out)
    done = subprocess.run(
        [program, *settings, *sorted(folder.iterdir())], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode in (0, 1), done.stderr
    return [message for file in json.loads(out.read_text()) for message in file["messages"]] if out.exists() else []


def test_secretlint_finds_what_is_there_and_nothing_where_it_was_taken_out(exports):
    found = {message["ruleId"].rpartition("rule-")[2] for message in lint(exports / "raw", exports / "raw.json")}
    assert found >= {"openai", "anthropic", "github", "gitlab", "slack", "npm", "database-connection-string"}
    assert lint(exports / "clean", exports / "clean.json") == []
