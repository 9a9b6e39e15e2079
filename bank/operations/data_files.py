"""The files of the bank's data and keys. Only their owner may read them."""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.db import connections

from eventstore.backends import backend_of
from eventstore.private_files import FILE, FOLDER, SIDE_FILES, is_open

KEY_FILES = ("secret_key", "pin_key", "seal_key")


class OpenPath(NamedTuple):
    """A file or folder that users other than its owner can use, and the mode that it should have."""

    path: Path
    mode: int


def open_paths() -> Iterator[OpenPath]:
    """Yield the open paths: the data folder first, and each database before its side files, which take its mode."""
    if is_open(settings.DATA_DIR):
        yield OpenPath(settings.DATA_DIR, FOLDER)
    for path in (*_databases(), *(settings.DATA_DIR / name for name in KEY_FILES)):
        if is_open(path):
            yield OpenPath(path, FILE)


def close() -> None:
    """Restrict the mode of each open path, if this user may.

    The data folder keeps its mode if it holds files that are not the bank's.
    """
    for path, mode in open_paths():
        if mode == FILE or not holds_other_files():
            with suppress(OSError):  # another user may own it; `manage.py check` still reports it
                path.chmod(mode)


def holds_other_files() -> bool:
    """Return whether the data folder holds other files than the bank's. The bank then does not set its mode."""
    databases = "|".join(re.escape(path.name) for path in (*_names(), *map(Path.resolve, _names())))
    ours = re.compile(
        rf"lost\+found|static|locale|\.?({'|'.join(KEY_FILES)})(\..*)?|({databases})({'|'.join(SIDE_FILES)}|\..*\.lock)?"
    )
    return any(not ours.fullmatch(path.name) for path in settings.DATA_DIR.iterdir())


def _databases() -> Iterator[Path]:
    """Yield each SQLite database with its side files: SQLite's own and the lock files."""
    for name in _names():
        path = name.resolve()  # SQLite resolves links before it names its side files
        yield path
        yield from (Path(f"{path}{suffix}") for suffix in SIDE_FILES)
        yield from sorted(name.parent.glob(f"{name.name}.*.lock"))


def _names() -> list[Path]:
    """Return the paths of the SQLite databases as the settings name them."""
    return [file for alias in connections if (file := backend_of(alias).file)]
