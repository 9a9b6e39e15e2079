"""The files in which the bank keeps data and keys. Only their owner may read them."""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.db import connections

from eventstore.private_files import FILE, FOLDER, SIDE_FILES, is_open

KEY_FILES = ("secret_key", "pin_key", "seal_key")


class OpenPath(NamedTuple):
    """A file or folder that users of the machine can use who are not its owner; with the mode that it should have."""

    path: Path
    mode: int


def open_paths() -> Iterator[OpenPath]:
    """Yield what is open, the data folder first, and a database before the files beside it, which take its mode."""
    if is_open(settings.DATA_DIR):
        yield OpenPath(settings.DATA_DIR, FOLDER)
    for path in (*_databases(), *(settings.DATA_DIR / name for name in KEY_FILES)):
        if is_open(path):
            yield OpenPath(path, FILE)


def close() -> None:
    """Close what is open, as far as this user may; a data folder that holds files of others stays as it is."""
    for path, mode in open_paths():
        if mode == FILE or not holds_other_files():
            with suppress(OSError):  # it may belong to somebody else; `manage.py check` goes on naming it
                path.chmod(mode)


def holds_other_files() -> bool:
    """Return whether the data folder holds files that are not the bank's, so that its mode is not for us to set."""
    databases = "|".join(re.escape(path.name) for path in (*_names(), *map(Path.resolve, _names())))
    ours = re.compile(
        rf"lost\+found|static|\.?({'|'.join(KEY_FILES)})(\..*)?|({databases})({'|'.join(SIDE_FILES)}|\..*\.lock)?"
    )
    return any(not ours.fullmatch(path.name) for path in settings.DATA_DIR.iterdir())


def _databases() -> Iterator[Path]:
    """Yield each SQLite database with the files beside it: SQLite's own and the locks between processes."""
    for name in _names():
        path = name.resolve()  # as SQLite does before it makes files beside it
        yield path
        yield from (Path(f"{path}{suffix}") for suffix in SIDE_FILES)
        yield from sorted(name.parent.glob(f"{name.name}.*.lock"))


def _names() -> list[Path]:
    """Return the files of the SQLite databases as the settings name them."""
    return [
        Path(connections[alias].settings_dict["NAME"]) for alias in connections if connections[alias].vendor == "sqlite"
    ]
