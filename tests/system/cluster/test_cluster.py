"""The short form of `python -m tests.system.cluster`: every part of a bank on several servers is killed under load."""

from pathlib import Path

from tests.support import postgres
from tests.system.cluster.__main__ import SHORT, run


def test_nothing_is_lost_or_doubled_and_own_writes_are_shown_while_each_part_is_killed(tmp_path: Path) -> None:
    postgres.require()
    verdict = run(tmp_path, *SHORT)
    assert not any(verdict), verdict
