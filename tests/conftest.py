"""Fixtures. Each test that names `bank` has two databases of its own, in files, with real commits and threads.

The databases refuse to delete events, so the usual emptying of tables after a test cannot work; instead a pair of
migrated files is made once and copied for each test.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections

from tests.clocks import stopped_clock as stopped_clock

FILES = {"default": "bank.sqlite3", "projections": "projections.sqlite3"}


def use_databases(folder: Path) -> None:
    """Point both connections at the files of a folder."""
    for alias, file_name in FILES.items():
        connections[alias].close()
        connections[alias].settings_dict["NAME"] = str(folder / file_name)
        connections.settings[alias]["NAME"] = str(folder / file_name)


@pytest.fixture(scope="session")
def migrated(django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both databases, migrated and empty."""
    folder = tmp_path_factory.mktemp("migrated")
    with django_db_blocker.unblock():
        use_databases(folder)
        for alias in FILES:
            call_command("migrate", database=alias, verbosity=0)
        for alias in FILES:
            with connections[alias].cursor() as cursor:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connections[alias].close()
    return folder


@pytest.fixture
def bank(django_db_blocker: Any, migrated: Path, tmp_path: Path) -> Iterator[Path]:
    """An empty bank: the folder of its two databases."""
    for file_name in FILES.values():
        shutil.copy(migrated / file_name, tmp_path / file_name)
    with django_db_blocker.unblock():
        use_databases(tmp_path)
        yield tmp_path
        for alias in FILES:
            connections[alias].close()


@pytest.fixture
def db(bank: Path) -> Path:
    """What pytest-django's own fixtures ask for."""
    return bank


@pytest.fixture
def transactional_db(bank: Path) -> Path:
    """What pytest-django's live server asks for."""
    return bank
