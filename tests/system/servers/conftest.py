"""A bank of several web processes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.databases import Urls, is_sqlite
from tests.support.programs import PASSWORD, Web


@pytest.fixture
def webs(urls: Urls, tmp_path: Path) -> Iterator[list[Web]]:
    """Two web servers of two processes each: on one data folder, or on a PostgreSQL server with a folder each."""
    variables = {**urls, "BANK_TELLER_PASSWORD": PASSWORD}
    folders = [tmp_path / "data"] * 2
    if not is_sqlite(urls):
        folders = [tmp_path / "one", tmp_path / "two"]
        variables |= dict.fromkeys(("SECRET_KEY", "PIN_KEYS", "SEAL_KEYS"), "one key for both" * 4)
    one, two = (Web(folder, "--workers", "2", **variables) for folder in folders)
    with one, two:
        yield [one, two]
