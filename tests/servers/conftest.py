"""A bank of several web processes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import postgres
from tests.programs import PASSWORD, Web


@pytest.fixture(params=["sqlite", "postgresql"])
def webs(request: Any, tmp_path: Path) -> Iterator[list[Web]]:
    """Two web servers of two processes each, on one data folder or one PostgreSQL server."""
    variables = {"BANK_TELLER_PASSWORD": PASSWORD}
    if request.param == "sqlite":
        with (
            Web(tmp_path / "data", "--workers", "2", **variables) as one,
            Web(tmp_path / "data", "--workers", "2", **variables) as two,
        ):
            yield [one, two]
        return
    postgres.require()
    with postgres.Cluster(settings=postgres.THROW_AWAY) as cluster:
        variables["DATABASE_URL"] = cluster.create_database("bank")
        variables["PROJECTIONS_DATABASE_URL"] = cluster.create_database("projections")
        variables |= dict.fromkeys(("SECRET_KEY", "PIN_KEYS", "SEAL_KEYS"), "one key for both" * 4)
        with Web(tmp_path / "one", "--workers", "2", **variables) as one, Web(tmp_path / "two", **variables) as two:
            yield [one, two]
