"""The bank's keys, from the environment or from files of the data folder, which are created if they are missing.

Both sources have the same format, so that a key may move between them: commas separate keys, and spaces and line ends
around a key are ignored. An empty variable counts as unset.
"""

import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from eventstore.private_files import make_folder

MIN_BYTES = 16
"""The smallest length of a key in bytes: 128 bits if all are random. Generated keys have 256 bits."""
NEW_KEY = """python3 -c "import secrets; print(secrets.token_hex(32))" makes one."""


def read_keys(variable: str, file: Path, *, short_old_keys: bool = False) -> list[str]:
    """Return the keys in an environment variable, or in a file if the variable is empty. The first one signs.

    Args:
        short_old_keys: whether the keys after the first one may be shorter than `MIN_BYTES`.

    Raises:
        ImproperlyConfigured: a key is empty, short or unreadable. The message says what to do, and shows no key.
    """
    where, text = _read(variable, file)
    keys = [key.strip() for key in text.split(",")]
    for number, key in enumerate(keys, 1):
        if not key and len(keys) > 1:
            raise ImproperlyConfigured(
                f"{where} has an empty key in place {number} of {len(keys)}. Remove the comma that is too many, or put "
                "the key there."
            )
        size = _size(key, where)
        if size < MIN_BYTES and not (short_old_keys and number > 1):
            raise ImproperlyConfigured(
                f"{where} has a key of {size} bytes in place {number}; a key has at least {MIN_BYTES}. Put a new key "
                f"in front: {NEW_KEY} Where the bank has used the short key, keep it behind the new one, after "
                "a comma, and set ALLOW_SHORT_OLD_KEYS=on."
            )
    return list(dict.fromkeys(keys))


def spaced_keys(variable: str) -> list[str]:
    """Return the keys in an environment variable that have spaces around them, with the spaces.

    An earlier version counted the spaces as part of the key, so its seals still need them.
    """
    return [key for key in os.environ.get(variable, "").split(",") if key != key.strip()]


def read_key(variable: str, file: Path) -> str:
    """Return the single key in an environment variable, or in a file if the variable is empty.

    Raises:
        ImproperlyConfigured: see `read_keys`.
    """
    where, text = _read(variable, file)
    key = text.strip()
    if (size := _size(key, where)) < MIN_BYTES:
        raise ImproperlyConfigured(
            f"{where} has {size} bytes; a key has at least {MIN_BYTES}. Put a new key there: {NEW_KEY} Everybody has "
            "to log in again."
        )
    return key


def _read(variable: str, file: Path) -> tuple[str, str]:
    """Return the name of the source of the keys, for messages, and its text."""
    if given := os.environ.get(variable, ""):
        return variable, given
    try:
        return f"The key file {file}", key_from_file(file)
    except UnicodeDecodeError:
        raise ImproperlyConfigured(f"The key file {file} is not UTF-8 text. Put the right file there.") from None
    except OSError as error:
        if os.path.lexists(file):
            raise ImproperlyConfigured(
                f"The key file {file} cannot be read: {error.strerror}. It has to be a file that the user of this "
                f"process may read; or set {variable}."
            ) from error
        raise ImproperlyConfigured(
            f"No key can be kept in the data folder: {error}. Choose another with BANK_DATA_DIR, or set {variable}."
        ) from error


def _size(key: str, where: str) -> int:
    """Return the length of a key in bytes.

    Raises:
        ImproperlyConfigured: the text is no key. The message shows none of it.
    """
    if not key:
        raise ImproperlyConfigured(
            f"{where} is blank. Put the key there that the bank has used. Only where nothing was recorded with a key "
            "yet, leave the variable empty or delete the file: a new key is made."
        )
    if any(character < " " or character == "\x7f" for character in key):
        raise ImproperlyConfigured(
            f"{where} has a line break or another control character within a key. Several keys are separated by commas."
        )
    try:
        return len(key.encode())
    except UnicodeEncodeError:
        raise ImproperlyConfigured(f"{where} is not UTF-8 text.") from None


def key_from_file(path: Path) -> str:
    """Return the text of a key file that only its owner may read. Create a random 256-bit key if it is missing.

    Two processes may start at once: the file appears whole, and the first one wins. The file and its name are synced to
    disk before the key is returned, because no PIN verifies after a power failure without the key.

    Raises:
        OSError, UnicodeDecodeError
    """
    if not path.exists():
        if not path.parent.exists():
            make_folder(path.parent)
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
    return path.read_text("utf-8").strip()


def _sync(folder: Path) -> None:
    """Sync the names in a folder to disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
