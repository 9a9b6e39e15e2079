"""Keys that live in files of the data folder unless the environment gives them."""

import os
import secrets
from pathlib import Path


def key_from_file(path: Path) -> str:
    """Return the key in a file that only its owner may read, making a random one of 256 bits if there is none.

    Safe against two processes that start at once: the file appears whole, and the first one wins. Safe against a power
    cut: nothing is signed with a key before the file and its name are on the disk, for without it no PIN verifies.
    """
    if not path.exists():
        if not path.parent.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            _sync(path.parent.parent)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        _sync(path.parent)
    return path.read_text().strip()


def _sync(folder: Path) -> None:
    """Wait until the names in a folder are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
