"""Files and folders that nobody but their owner may read, whatever the umask."""

import os
import stat
from contextlib import suppress
from pathlib import Path

FILE, FOLDER = 0o600, 0o700
SIDE_FILES = ("-wal", "-shm", "-journal")
"""What SQLite adds to a database's name for the files beside it. It gives them the mode of the database file."""


def make_folder(folder: Path) -> None:
    """Make a folder that only its owner may enter, if it is missing; folders above it get the usual mode.

    Raises:
        OSError
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=FOLDER, exist_ok=True)


def make_database_file(name: str) -> None:
    """Make an empty file for a SQLite database, if it is missing.

    A file that exists is not opened: to close it again would drop the locks that SQLite holds on it in this process.
    Where no file can be made, SQLite says so when it opens the database.
    """
    if name != ":memory:" and not name.startswith("file:"):
        with suppress(OSError):
            os.close(os.open(os.path.realpath(name), os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE))


def mode_of(path: Path) -> int:
    """Return the permissions of a file or folder, or of what a link leads to; none where it is missing.

    Raises:
        OSError
    """
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return 0


def is_open(path: Path) -> bool:
    """Return whether somebody who is not the owner may do anything with a file or folder.

    Raises:
        OSError
    """
    return bool(mode_of(path) & 0o077)
