"""Keys of the bank: from the environment, or from files of the data folder, which are made where they are missing.

The same rules hold for both places, so that a key may move from one to the other: keys are separated by commas, and
spaces and line ends around each one do not count. An empty variable is a variable that is not set.
"""

import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from eventstore.private_files import make_folder

MIN_BYTES = 16
"""The fewest bytes of a key: 128 bits, if all of them are random. The keys that are made here have 256."""
NEW_KEY = """python3 -c "import secrets; print(secrets.token_hex(32))" makes one."""


class InstallationFault(Exception):
    """A command cannot be carried out because of how the bank is installed. Nothing is recorded.

    It is never the fault of the person who sent the command, so it counts as no attempt of theirs.
    """


def read_keys(variable: str, file: Path, *, short_old_keys: bool = False) -> list[str]:
    """Return the keys in an environment variable, or in a file where the variable is empty. The first one signs.

    Args:
        short_old_keys: whether the keys after the first one may be shorter than `MIN_BYTES`.

    Raises:
        ImproperlyConfigured: a key is empty, short or unreadable; the message says what to do, and shows no key.
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

    They counted as part of the key once, so what was made with such a key is still known by it.
    """
    return [key for key in os.environ.get(variable, "").split(",") if key != key.strip()]


def read_key(variable: str, file: Path) -> str:
    """Return the one key in an environment variable, or in a file where the variable is empty.

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
    """Return the name of the place where the keys are, for messages, and its text."""
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
    """Return the number of a key's bytes.

    Raises:
        ImproperlyConfigured: it is no key; the message shows nothing of it.
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
    """Return the text of a key file that only its owner may read; make a random key of 256 bits if there is none.

    Two processes may start at once: the file appears whole, and the first one wins. The file and its name are on the
    disk before the key is returned, because without the key no PIN verifies after a power cut.

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
    """Wait until the names in a folder are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
