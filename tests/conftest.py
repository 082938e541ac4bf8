"""How long the property tests look: `make test` takes 50 examples of each, `make test-long` 1,000.

CI takes the same 50 each time, so that what it says is about the change; new examples are looked for at a desk and at night.
"""

import os
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings

# No test reads or makes the key of whoever runs the tests.
os.environ.setdefault("RESPOOL_KEY_FILE", str(Path(tempfile.mkdtemp(prefix="respool-key-")) / "key"))

# Runs pytest within tests, for the pytest plugin; pytest takes such a list only from the outermost conftest.
pytest_plugins = ["pytester"]

# A busy machine is no failure of a property, so there is no deadline.
settings.register_profile(
    "quick",
    deadline=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize="CI" in os.environ,
    database=None if "CI" in os.environ else settings.default.database,
)
settings.register_profile("long", settings.get_profile("quick"), max_examples=1000, derandomize=False)
settings.load_profile(os.environ.get("RESPOOL_PROPERTIES", "quick"))
