"""Signed heads: `manage.py export_head` and `manage.py verify_events --head`."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError

from tests.support import databases, vandal
from tests.support.databases import Urls
from tests.support.record import export, in_stream, spoil, verify
from tests.support.values import at_once, deposit, do_business, open_account, query

pytestmark = pytest.mark.usefixtures("bank")


def test_a_head_names_its_log_position_and_fits_on_a_page(tmp_path: Path) -> None:
    do_business()
    head = export(tmp_path / "head")
    assert (head.events, head.streams, head.rejected) == (68, 6, 4)
    assert head.position == query("SELECT MAX(position) FROM eventstore_event")[0][0]
    assert len((tmp_path / "head").read_text()) < 1000


def test_a_log_truncated_or_rewritten_after_a_head_is_found_even_with_stolen_keys(urls: Urls, tmp_path: Path) -> None:
    do_business()
    export(tmp_path / "head")

    def rewrite(tables: vandal.Tables) -> None:
        in_stream(tables, "bank_account-1")[-1]["data"] = {"accountId": 1, "amount": 18}
        vandal.recompute(tables)
        vandal.reseal(tables)

    spoil(urls, rewrite, cover=True)
    assert "All of it fits together" in verify("--no-read-side")
    assert "what had been recorded by then has been changed since" in verify(
        "--no-read-side", "--head", f"{tmp_path}/head"
    )


def test_the_head_of_a_backup_is_found_to_be_ahead(urls: Urls, tmp_path: Path) -> None:
    do_business()
    export(tmp_path / "head")
    spoil(urls, lambda tables: tables[vandal.EVENT].pop(), cover=True)
    assert "of its 68 events there are 67 now" in verify("--no-read-side", "--head", f"{tmp_path}/head")


def test_a_file_that_is_no_head_is_refused(tmp_path: Path) -> None:
    do_business()
    export(tmp_path / "head")
    good = (tmp_path / "head").read_text()
    unsigned = {name: value for name, value in json.loads(good).items() if name != "signature"}
    bad = {
        "empty": b"",
        "truncated": good[:-20].encode(),
        "not signed": json.dumps(unsigned).encode(),
        "changed": good.replace('"events": 68', '"events": 67').encode(),
        "more": good.replace("{", '{"more": 1,', 1).encode(),
        "binary": bytes(range(256)),
        "a list": b"[]",
        "a number": b"1",
        "no such key": good.replace('"signature": "', '"signature": "00').encode(),
        "signature of another type": json.dumps({**unsigned, "signature": 5}).encode(),
        "signature of other letters": json.dumps({**unsigned, "signature": "é"}).encode(),
        "lists within lists": b"[" * 100_000,
        "lists within a head": good.replace('"events": 68', f'"events": {"[" * 900}{"]" * 900}').encode(),
        "a number without end": good.replace('"events": 68', f'"events": {"9" * 5000}').encode(),
        "half a character": good.replace('"events": 68', '"events": "\\ud800"').encode(),
        "infinity": good.replace('"events": 68', '"events": 1e999').encode(),
        "null": b"null",
        "with a mark in front": b"\xef\xbb\xbf" + good.encode(),
        "NUL": bytes(5),
    }
    for name, content in bad.items():
        (tmp_path / name).write_bytes(content)
    for name in (*bad, "not there", ".", "/dev/zero", "a\0b"):
        with pytest.raises(CommandError, match=r"head|No such file|Is a directory|null byte") as stopped:
            verify("--head", str(tmp_path / name))
        assert stopped.value.returncode == 2, name


def test_the_head_of_another_bank_is_refused(tmp_path: Path, settings: Any) -> None:
    ours, settings.SEAL_KEYS = settings.SEAL_KEYS, ["another bank's key"]
    export(tmp_path / "head")
    settings.SEAL_KEYS = ours
    with pytest.raises(CommandError, match=r"not this bank's, or was changed: its key .* is not among SEAL_KEYS"):
        verify("--head", str(tmp_path / "head"))


def test_keys_rotate_and_missing_ones_are_reported(tmp_path: Path, settings: Any) -> None:
    open_account(balance=5)
    export(tmp_path / "head")
    settings.SEAL_KEYS = ["a new key", *settings.SEAL_KEYS]
    deposit(1, 5)
    export(tmp_path / "newer")
    for head in ("head", "newer"):
        assert "All of it fits together" in verify("--head", str(tmp_path / head))
    settings.SEAL_KEYS = settings.SEAL_KEYS[:1]
    assert "is not among SEAL_KEYS" in verify()


@pytest.mark.only_on("postgresql", reason="on SQLite nobody can write meanwhile")
def test_a_head_covers_no_event_that_an_earlier_one_may_still_precede(tmp_path: Path) -> None:
    for account_id in (1, 2):
        open_account(account_id, balance=100)
    under_way, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        with databases.another_connection() as connection, connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT pg_current_xact_id()")
            under_way.set()
            go_on.wait(60)
            cursor.execute("COMMIT")

    def meanwhile() -> None:
        under_way.wait(60)
        deposit(1, 7)
        head = export(tmp_path / "head")
        assert head.events == 4, "the deposit is beyond the slow one's place"
        go_on.set()

    at_once([slow, meanwhile])
    assert "All of it fits together" in verify("--head", str(tmp_path / "head"))
    assert export(tmp_path / "head").events == 5
