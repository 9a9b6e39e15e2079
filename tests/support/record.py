"""Helpers for tests of the record: commands that verify it, and ways to change it directly in the database."""

import pickle
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import call_command

from eventstore.verification import signed_heads
from eventstore.verification.stream_checker import Checked, Checker, Row
from tests.support import vandal
from tests.support.databases import Urls, stranger


def verify(*arguments: str) -> str:
    """Run verify_events, and return its output. SystemExit and CommandError pass through."""
    out = StringIO()
    try:
        call_command("verify_events", *arguments, stdout=out, stderr=out)
    except SystemExit as stopped:
        out.write(f"exit {stopped.code}")
    return out.getvalue()


def export(file: Path) -> signed_heads.Head:
    """Export the signed head of the log into a file."""
    out = StringIO()
    call_command("export_head", stdout=out, stderr=StringIO())
    file.write_text(out.getvalue())
    return signed_heads.read(out.getvalue())


def spoil(urls: Urls, change: Callable[[vandal.Tables], object], *, cover: bool = False) -> None:
    """Change rows directly in the database."""
    with stranger(urls["DATABASE_URL"]) as database:
        before, tables = vandal.load(database), vandal.load(database)
        change(tables)
        if cover:
            vandal.recompute(tables)
        vandal.save(database, before, tables, hide_end=cover)


def in_stream(tables: vandal.Tables, stream: str) -> list[vandal.Row]:
    return [row for row in tables[vandal.EVENT] if row["stream"] == stream]


class Aside:
    """Replaces a child process: it checks in this process, and exchanges only pickled values."""

    def begin(self, *checker: object) -> None:
        self.checker = Checker[Any](*_sent(checker))

    def check(self, row: Row, command_row: Row | None) -> None:
        self.checker.check(*_sent((row, command_row)))

    def end(self, *, whole: bool) -> Checked[Any]:
        checked: Checked[Any] = _sent(self.checker.end(whole=whole))
        return checked

    def close(self) -> None:
        """Do nothing: it ends with the test."""


def _sent(what: object) -> Any:
    return pickle.loads(pickle.dumps(what))
