"""Backup of an open SQLite bank: a consistent copy of the write side, and the signed head of its log.

SQLite's online backup copies page by page while other connections write, and starts again after each write. If the
source connection is within a transaction, the backup reads the database snapshot of that transaction instead. With the
write-ahead log, such a reader blocks no writer. `VACUUM INTO` is as consistent, but rewrites all pages and syncs
nothing.

The copy is verified before it becomes the backup. The folder appears whole or not at all, and overwrites nothing.
"""

import os
import shlex
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.db import DatabaseError, connections

from eventstore.backends import backend_of
from eventstore.store import WRITE_SIDE
from eventstore.verification import signed_heads
from eventstore.verification.parallel import Unfinished
from eventstore.verification.signed_heads import Head

from .audit import audit

COPY, HEAD, KEYS = "bank.sqlite3", "head.json", "keys.env"
PAGES = 1000
"""The number of pages copied between two progress reports: 4 MB."""


class NoBackup(Exception):
    """The backup failed, and left nothing behind. The message gives the reason."""


type Progress = Callable[[int], object]


def back_up(
    folder: Path,
    *,
    keys: bool = False,
    copied: Progress = lambda pages: None,
    verified: Progress = lambda events: None,
) -> Head:
    """Write a backup into a new folder, and return the head of its log.

    Args:
        keys: whether to include the keys. With the copy and the keys, an attacker can find out PINs and seal forged
            records.
        copied: called with the number of pages copied since the last call.
        verified: called with the number of events verified since the last call.

    Raises:
        NoBackup
    """
    folder = folder.absolute()
    _refuse_to_overwrite(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".unfinished", dir=folder.parent))
    except OSError as error:
        raise NoBackup(f"{error}.") from error
    try:
        _copy(draft / COPY, copied)
        head = _head_of(draft / COPY, verified)
        _write(draft / HEAD, signed_heads.sign(head))
        if keys:
            _write(draft / KEYS, "".join(f"{name}={shlex.quote(value)}\n" for name, value in _keys().items()))
        for path in (*draft.iterdir(), draft):
            _sync(path)
        _refuse_to_overwrite(folder)
        draft.rename(folder)
        _sync(folder.parent)
    except (OSError, sqlite3.Error, DatabaseError, Unfinished) as error:
        raise NoBackup(f"{error}.") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return head


def _refuse_to_overwrite(folder: Path) -> None:
    if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
        raise NoBackup(f"{folder} is there already, and nothing is overwritten.")


def _copy(file: Path, copied: Progress) -> None:
    """Copy the write side into one file that only its owner may read, without a write-ahead log."""
    file.touch(mode=0o600)
    target = sqlite3.connect(file, isolation_level=None)
    try:
        with backend_of().one_moment():
            with connections[WRITE_SIDE].cursor() as cursor:
                cursor.execute("SELECT COUNT(*) FROM sqlite_master")  # the first read fixes the database snapshot
            source: sqlite3.Connection = connections[WRITE_SIDE].connection
            source.backup(target, pages=PAGES, progress=lambda status, left, total: copied(min(PAGES, total)))
        target.execute("PRAGMA journal_mode=DELETE")
        if (faults := target.execute("PRAGMA integrity_check").fetchall()) != [("ok",)]:
            raise NoBackup(f"The copy is damaged: {faults[0][0]}")
    finally:
        target.close()


def page_count() -> int:
    """Return the number of pages to copy."""
    with connections[WRITE_SIDE].cursor() as cursor:
        cursor.execute("PRAGMA page_count")
        return int(cursor.fetchone()[0])


def _head_of(file: Path, verified: Progress) -> Head:
    """Verify a copy, and return the head of its log.

    Raises:
        NoBackup: the copy has findings.
    """
    config = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": f"file:{quote(str(file))}?mode=ro",
        "OPTIONS": {"uri": True},
    }
    alias = f"backup in {file.parent}"
    connections.settings[alias] = connections.configure_settings({WRITE_SIDE: {}, alias: config})[alias]
    try:
        report = audit(using=alias, read_side=False, progress=verified)
    finally:
        connections[alias].close()
        del connections[alias], connections.settings[alias]
    if report.findings:
        raise NoBackup(f"What is recorded does not fit together. {report.findings[0]}. See verify_events.")
    return report.head


def _keys() -> dict[str, str]:
    return {
        "SECRET_KEY": settings.SECRET_KEY,
        "PIN_KEYS": ",".join(settings.PIN_KEYS + settings.SPACED_PIN_KEYS),
        "SEAL_KEYS": ",".join(settings.SEAL_KEYS + settings.SPACED_SEAL_KEYS),
    }


def _write(file: Path, text: str) -> None:
    file.touch(mode=0o600)
    file.write_text(text)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
