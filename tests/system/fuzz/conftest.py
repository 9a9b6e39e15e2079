"""The amount of fuzzing: few and always the same requests, unless more are requested.

uv run pytest tests/system/fuzz --fuzz-examples 20000
"""

from typing import Any

import pytest
from hypothesis import HealthCheck, settings

FEW = 150
"""The number of requests of each kind of user."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fuzz-examples", type=int, default=FEW, help="how much nonsense; other than the default: random")


@pytest.fixture
def much(request: pytest.FixtureRequest) -> Any:
    """Hypothesis's settings of a fuzz test."""
    examples = request.config.getoption("--fuzz-examples", FEW)
    return settings(
        max_examples=examples,
        derandomize=examples == FEW,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
