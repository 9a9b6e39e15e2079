"""Files and folders with access for their owner only, whatever the umask."""

import os
import stat
from contextlib import suppress
from pathlib import Path

FILE, FOLDER = 0o600, 0o700
SIDE_FILES = ("-wal", "-shm", "-journal")
"""The suffixes of the files that SQLite makes beside a database. They get its mode."""


def make_folder(folder: Path) -> None:
    """Make a folder with access for its owner only, if it is missing. Missing parents get the usual mode.

    Raises:
        OSError
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=FOLDER, exist_ok=True)


def make_database_file(name: str) -> None:
    """Make an empty file for a SQLite database, if it is missing.

    An existing file is not opened, because closing it would drop SQLite's locks of this process on it. If no file can
    be made, SQLite reports it when it opens the database.
    """
    if name != ":memory:" and not name.startswith("file:"):
        with suppress(OSError):
            os.close(os.open(os.path.realpath(name), os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE))


def mode_of(path: Path) -> int:
    """Return the permissions of a file or folder, following links, or 0 if it is missing.

    Raises:
        OSError
    """
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return 0


def is_open(path: Path) -> bool:
    """Return whether users other than the owner have any access to a file or folder.

    Raises:
        OSError
    """
    return bool(mode_of(path) & 0o077)
