"""The rules of the texts that commands carry: holders' names and the reasons of corrections."""

import unicodedata

from .errors import CommandRejected, InvalidAccountHolder, InvalidReason
from .invisible import invisible_in, trim

MAX_HOLDER_LENGTH = 100
MAX_REASON_LENGTH = 200


def normal_holder(account_holder: str) -> str:
    """Return a holder's name, trimmed and in Unicode's NFC form.

    Raises:
        InvalidAccountHolder: the name has not 1 to 100 characters, or contains invisible ones.
    """
    if not isinstance(account_holder, str):
        raise InvalidAccountHolder("A name is text.")
    return _normal(account_holder, MAX_HOLDER_LENGTH, InvalidAccountHolder("The account needs a holder's name."))


def normal_reason(reason: str) -> str:
    """Return the reason of a correction, trimmed and in Unicode's NFC form.

    Raises:
        InvalidReason: the reason has not 1 to 200 characters, or contains invisible ones.
    """
    if not isinstance(reason, str):
        raise InvalidReason("A reason is text.")
    return _normal(reason, MAX_REASON_LENGTH, InvalidReason("A correction needs a reason."))


def _normal(given: str, most: int, is_missing: CommandRejected) -> str:
    """Return a text in its normal form.

    Raises:
        CommandRejected: `is_missing` if the text is empty; another one of its class if the text is too long, or has
            characters that a reader cannot see.
    """
    text = unicodedata.normalize("NFC", trim(given))
    if not text:
        raise is_missing
    rejection = type(is_missing)
    if len(text) > most:
        raise rejection(f"This text has at most {most} characters.")
    if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in text):
        raise rejection("This text has no control characters.")
    if hidden := invisible_in(text):
        raise rejection(f"This text cannot have the invisible character U+{ord(hidden):04X} here.")
    if unicodedata.category(text[0]).startswith("M"):
        raise rejection("This text cannot begin with an accent.")
    return text
