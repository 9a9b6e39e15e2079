"""`manage.py backup`: a sound copy of an open bank, or none at all."""

import json
import shlex
import sqlite3
import stat
import subprocess
import threading
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from bank.operations import backup
from bank.operations.audit import audit
from eventstore.verification import signed_heads
from tests.support import vandal
from tests.support.databases import Urls
from tests.support.record import spoil, verify
from tests.support.values import at_once, deposit, do_business, open_account, query, withdraw
from tests.system.faults.disk import mounted

on_sqlite = pytest.mark.only_on("sqlite", reason="PostgreSQL is backed up by its own programs")
KEYS = {"SECRET_KEY": "a secret key, 'quoted'", "PIN_KEYS": "pin one,pin two", "SEAL_KEYS": "$seal"}


def back_up(folder: Path, *options: str) -> str:
    out = StringIO()
    call_command("backup", str(folder), *options, stdout=out, stderr=out)
    return out.getvalue()


def left_in(folder: Path) -> list[str]:
    """Return the files in a folder besides the bank's own."""
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith(("bank.sqlite3", "projections.")))


@on_sqlite
@pytest.mark.usefixtures("bank")
def test_a_backup_while_eight_write_is_sound_and_the_live_bank_extends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for account_id in range(1, 9):
        open_account(account_id, balance=100)
    done = threading.Event()

    def serve(account_id: int) -> None:
        while not done.is_set():
            deposit(account_id, 5)
            withdraw(account_id, 3)

    def save() -> None:
        monkeypatch.setattr(backup, "PAGES", 10)
        try:
            for number in (1, 2, 3):
                among_the_pages: list[int] = []
                before = query("SELECT MAX(position) FROM eventstore_event")[0][0]
                wait = threading.Event()

                def copied(pages: int, seen: list[int] = among_the_pages, wait: threading.Event = wait) -> None:
                    wait.wait(0.02)
                    with sqlite3.connect(connections["default"].settings_dict["NAME"]) as other:
                        seen += other.execute("SELECT MAX(position) FROM eventstore_event").fetchone()
                    other.close()

                head = backup.back_up(tmp_path / f"copy {number}", copied=copied)
                assert before <= head.position <= among_the_pages[0]
                assert among_the_pages[-1] > head.position, "others committed while it was copied"
        finally:
            done.set()

    at_once([*(lambda each=each: serve(each) for each in range(1, 9)), save])
    for number in (1, 2, 3):
        assert "All of it fits together" in verify("--head", str(tmp_path / f"copy {number}" / "head.json"))


@on_sqlite
@pytest.mark.usefixtures("bank")
def test_a_backup_is_one_private_file_and_its_head(tmp_path: Path) -> None:
    do_business()
    results = back_up(tmp_path / "a" / "copy")
    assert "has 68 events up to position 68, verified, and their head" in results
    assert "The keys are not in it" in results
    files = sorted((tmp_path / "a" / "copy").iterdir())
    assert [path.name for path in files] == ["bank.sqlite3", "head.json"]
    assert [stat.S_IMODE(path.stat().st_mode) for path in (*files, files[0].parent)] == [0o600, 0o600, 0o700]
    assert left_in(tmp_path / "a") == ["copy"]
    head = audit().head
    assert signed_heads.read(files[1].read_text())[:-1] == head[:-1], "all but the time at which it was made"
    with sqlite3.connect(files[0]) as copy:
        assert copy.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert copy.execute("SELECT COUNT(*) FROM eventstore_event").fetchone() == (68,)
    copy.close()


@on_sqlite
@pytest.mark.usefixtures("bank")
def test_a_backup_with_keys_contains_the_keys(tmp_path: Path, settings: Any) -> None:
    settings.PIN_KEYS, settings.SEAL_KEYS, settings.SECRET_KEY = ["pin one", "pin two"], ["$seal"], KEYS["SECRET_KEY"]
    open_account(balance=5)
    assert "The keys are in it as well" in back_up(tmp_path / "copy", "--with-keys")
    file = tmp_path / "copy" / "keys.env"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    shell = (
        f'set -a; . {shlex.quote(str(file))}; exec python3 -c "import os, json; print(json.dumps(dict(os.environ)))"'
    )
    found = json.loads(subprocess.run(["sh", "-c", shell], check=True, capture_output=True).stdout)
    assert {name: found[name] for name in KEYS} == KEYS


@on_sqlite
@pytest.mark.usefixtures("bank")
def test_nothing_is_overwritten(tmp_path: Path) -> None:
    open_account(balance=5)
    back_up(tmp_path / "copy")
    before = (tmp_path / "copy" / "bank.sqlite3").stat()
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    for name in ("copy", "file", "link"):
        with pytest.raises(CommandError, match=r"No backup was made: .* is there already, and nothing is overwritten"):
            back_up(tmp_path / name)
    back_up(tmp_path / "empty")
    assert (tmp_path / "copy" / "bank.sqlite3").stat().st_ino == before.st_ino
    assert left_in(tmp_path) == ["copy", "empty", "file", "link"]


@on_sqlite
@pytest.mark.usefixtures("bank")
def test_of_two_backups_into_one_folder_one_is_made(tmp_path: Path) -> None:
    open_account(balance=5)

    def attempt() -> str:
        try:
            return back_up(tmp_path / "copy")
        except CommandError as error:
            return str(error)

    results = at_once([attempt, attempt])
    assert sorted("verified" in each for each in results) == [False, True]
    assert left_in(tmp_path) == ["copy"]


@on_sqlite
@pytest.mark.usefixtures("bank")
def test_a_full_disk_is_reported_and_leaves_no_backup(tmp_path: Path) -> None:
    do_business()
    with mounted(tmp_path / "disk", 16) as disk:
        disk.fill()
        with pytest.raises(CommandError, match=r"No backup was made: .*(full|No space left)"):
            back_up(disk.folder / "copy")
        assert not [path for path in disk.folder.iterdir() if "copy" in path.name]
        disk.empty()
        assert "verified" in back_up(disk.folder / "copy")


@on_sqlite
@pytest.mark.usefixtures("bank")
def test_a_backup_that_is_broken_off_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    do_business()

    def interrupt(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    for step in ("_copy", "_head_of", "_write", "_sync"):
        with monkeypatch.context() as patch:
            patch.setattr(backup, step, interrupt)
            with pytest.raises(CommandError, match="Interrupted"):
                back_up(tmp_path / "copy")
        assert left_in(tmp_path) == []


@on_sqlite
@pytest.mark.usefixtures("bank")
def test_a_record_that_does_not_fit_together_is_no_backup(tmp_path: Path, urls: Urls) -> None:
    do_business()

    def change(tables: vandal.Tables) -> None:
        tables[vandal.EVENT][5]["data"] = {"accountId": 1, "amount": 1}

    spoil(urls, change)
    with pytest.raises(CommandError, match=r"does not fit together\. bank_account-\d version \d .* See verify_events"):
        back_up(tmp_path / "copy")
    assert left_in(tmp_path) == []


@on_sqlite
@pytest.mark.usefixtures("bank")
def test_a_damaged_file_is_no_backup(tmp_path: Path) -> None:
    do_business()
    with connections["default"].cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.execute("SELECT rootpage FROM sqlite_master WHERE name = 'event_type'")
        (page,) = cursor.fetchone()
        file, size = Path(connections["default"].settings_dict["NAME"]), 4096
    connections["default"].close()
    with file.open("r+b") as database:
        database.seek((page - 1) * size + 8)
        database.write(bytes(64))
    with pytest.raises(CommandError, match="No backup was made"):
        back_up(tmp_path / "copy")
    assert left_in(tmp_path) == []
