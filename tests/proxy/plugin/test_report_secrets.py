"""The report of a test that failed for a miss shows what was asked, and no secret that was in it."""

import json
import random

from planted import KINDS
from planted_search import found_in

SUITE = """
import json, pathlib
@pytest.mark.cassette
def test_one():
    say("hello")
    for body in json.loads(pathlib.Path("bodies.json").read_text()):
        call("POST", "/threads", body)
"""


def test_no_secret_of_a_missed_call_is_told(suite):
    rng = random.Random(8)
    made = [(name, make(rng)) for name, make in KINDS.values()]
    bodies = [{"metadata": {name or "note": secret, "asked": "gladly"}} for name, secret in made]
    asked = suite.path / "bodies.json"
    suite.write(SUITE)
    asked.write_text("[]")
    suite.record().assert_outcomes(passed=1)
    asked.write_text(json.dumps(bodies))
    result = suite.run("-rA", "-vv")
    result.assert_outcomes(failed=1)
    told = "\n".join(result.outlines + result.errlines)
    assert f"{len(bodies)} calls, the last of them here, missed the cassette" in told
    assert "gladly" in told
    assert found_in([asked.read_bytes()], [secret for _, secret in made])
    assert found_in([told.encode()], [secret for _, secret in made]) == []
