"""How long the property tests look: `make test` takes 50 examples of each, `make test-long` 3,000."""

import os

from hypothesis import HealthCheck, settings

# Runs pytest within tests, for the pytest plugin; pytest takes such a list only from the outermost conftest.
pytest_plugins = ["pytester"]

# A busy machine is no failure of a property, so there is no deadline.
settings.register_profile("quick", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("long", settings.get_profile("quick"), max_examples=3000)
settings.load_profile(os.environ.get("RESPOOL_PROPERTIES", "quick"))
