"""PostgreSQL servers for single tests."""

from collections.abc import Iterator

import pytest

from tests.support import postgres


@pytest.fixture
def cluster() -> Iterator[postgres.Cluster]:
    """A running server with no database of a bank, deleted after the test."""
    postgres.require()
    with postgres.Cluster(settings=postgres.THROW_AWAY) as cluster:
        yield cluster
