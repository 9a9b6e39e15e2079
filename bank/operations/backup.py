"""A backup of an open SQLite bank: a copy of the write side as it was at one moment, and the head of what is in it.

SQLite's online backup copies page by page while others write, and starts over whenever they do, unless the connection
that it reads from is within a transaction: then it reads the pages as they were when that began. In the write-ahead
log nobody waits for such a reader. `VACUUM INTO` is as consistent, but writes all anew, and syncs nothing.

The copy is verified before it counts. It appears under its name whole or not at all, and takes nothing's place.
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

from eventstore.bulk_reading import one_moment
from eventstore.store import WRITE_SIDE
from eventstore.verification import signed_heads
from eventstore.verification.parallel import Unfinished
from eventstore.verification.signed_heads import Head

from .audit import audit

COPY, HEAD, KEYS = "bank.sqlite3", "head.json", "keys.env"
PAGES = 1000
"""How many pages are copied between two looks at the time: 4 MB."""


class NoBackup(Exception):
    """There is no backup; the message says why. Nothing of it is left."""


type Progress = Callable[[int], object]


def back_up(
    folder: Path,
    *,
    keys: bool = False,
    copied: Progress = lambda pages: None,
    verified: Progress = lambda events: None,
) -> Head:
    """Put a backup into a folder that is not there yet, and return the head of what is in it.

    Args:
        keys: whether the keys go into it too. Whoever has both can find out PINs and seal what was never recorded.
        copied, verified: are told how many more pages were copied, and how many more events of the copy were verified.

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
    """Copy the write side into a file of its own, readable for nobody else, without a log beside it."""
    file.touch(mode=0o600)
    target = sqlite3.connect(file, isolation_level=None)
    try:
        with one_moment(WRITE_SIDE):
            with connections[WRITE_SIDE].cursor() as cursor:
                cursor.execute("SELECT COUNT(*) FROM sqlite_master")  # now the moment is fixed
            source: sqlite3.Connection = connections[WRITE_SIDE].connection
            source.backup(target, pages=PAGES, progress=lambda status, left, total: copied(min(PAGES, total)))
        target.execute("PRAGMA journal_mode=DELETE")
        if (said := target.execute("PRAGMA integrity_check").fetchall()) != [("ok",)]:
            raise NoBackup(f"The copy is damaged: {said[0][0]}")
    finally:
        target.close()


def page_count() -> int:
    """Return how many pages there are to copy."""
    with connections[WRITE_SIDE].cursor() as cursor:
        cursor.execute("PRAGMA page_count")
        return int(cursor.fetchone()[0])


def _head_of(file: Path, verified: Progress) -> Head:
    """Return the head of a copy, whose record fits together.

    Raises:
        NoBackup: it does not.
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
