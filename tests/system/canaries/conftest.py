"""The empty bank at the start of both worlds, on SQLite, whose files can be compared byte by byte."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.databases import Urls
from tests.system.simulator.runs import simulated_databases


@pytest.fixture(scope="module")
def template(django_db_blocker: Any) -> Iterator[Urls]:
    with django_db_blocker.unblock(), simulated_databases() as urls:
        yield urls
