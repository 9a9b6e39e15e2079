"""The form in which holders' names are searched, and the keys by which a part of a word is found.

A part of a word is the rest of the word from one of its letters on. An account has a row for each letter of its
holder's name, ordered by the part, so a search for the beginning of a part is a range of an index.
"""

import re
import unicodedata
from functools import lru_cache

FORM = "names 2"
"""The version of the search form. A change of the form needs a new version, so that stored names are found stale."""
LONGEST = 16
"""The number of letters of a part that a key has."""
MAX_ID = 2**63 - 1
LONGEST_NUMBER = 40
"""The number of digits, leading zeros included, up to which a word can be an account number."""

_APOSTROPHES = dict.fromkeys(
    map(ord, "'`\u00b4\u02b9\u02bb\u02bc\u02bd\u02be\u02bf\u02c8\u05f3\u2018\u2019\u201b\u2032\ua78c\uff07")
)
_HYPHENS = re.compile(r"(?<=\w)[-\u00b7\u058a\u05be\u2010-\u2015\u2212\u30fb]+(?=\w)")
_STROKE = re.compile("((?:LATIN|CYRILLIC) SMALL LETTER [A-Z]+) WITH ")
_LETTERS = str.maketrans({
    "æ": "ae", "œ": "oe", "ð": "d", "þ": "th", "\u0131": "i", "ȷ": "j", "ŋ": "n", "ə": "e", "ɛ": "e", "ɔ": "o",
    "ĸ": "k", "ي": "ی", "ى": "ی", "ك": "ک", "\u0629": "\u0647", "\u0640": None,
})  # fmt: skip
"""Letters that people type differently, and that neither a decomposition nor their Unicode name explains."""
_NUMBER = re.compile(r"(?:account|acct|no|nr|n°)?[.:]? ?#? ?([0-9]+|[0-9]{1,3}([ ,._])(?:[0-9]{2,3}\2)*[0-9]{3})")


def search_form(text: str) -> str:
    """Return a name in its search form: without case, accents, apostrophes, hyphens and invisible characters."""
    return _HYPHENS.sub("", _folded(text))


def searched_words(text: str) -> list[str]:
    """Return the words of a search in their search form. A hyphen separates words, as the name may have a space."""
    return _HYPHENS.sub(" ", _folded(text)).split()


def searched_number(text: str) -> int | None:
    """Return the account number that a whole search stands for, such as "11", "#11" or "7 001", or None."""
    match = _NUMBER.fullmatch(" ".join(_folded(text).split()))
    return account_number(re.sub("[^0-9]", "", match[1])) if match else None


def account_number(word: str) -> int | None:
    """Return the account number that a word of a search stands for, or None."""
    number = int(word) if word.isascii() and word.isdigit() and len(word) <= LONGEST_NUMBER else 0
    return number if 0 < number <= MAX_ID else None


def _folded(text: str) -> str:
    """Return a text without case, accents, apostrophes and invisible characters."""
    letters = text.translate(_APOSTROPHES)
    for _ in range(2):  # a decomposition can give a capital letter, and a small letter can be decomposed
        letters = unicodedata.normalize("NFKD", letters.casefold())
    return "".join(map(_base, letters.translate(_APOSTROPHES))).translate(_LETTERS)


@lru_cache(maxsize=4096)
def _base(letter: str) -> str:
    """Return a letter without stroke or hook, a digit as the Latin one, and an empty text for a mark without width."""
    if letter.isascii():
        return letter
    name = unicodedata.name(letter, "")
    if unicodedata.combining(letter) or unicodedata.category(letter) == "Cf" or "VARIATION SELECTOR" in name:
        return ""
    if letter.isdecimal():
        return str(unicodedata.decimal(letter))
    match = _STROKE.match(name)
    try:
        return unicodedata.lookup(match[1]) if match else letter
    except KeyError:  # for example, lambda with stroke
        return letter


def name_keys(holder: str, account_id: int) -> set[bytes]:
    """Return the keys of the parts of a holder's name."""
    parts = {word[start : start + LONGEST] for word in search_form(holder).split() for start in range(len(word))}
    return {part.encode() + b"\0" + account_id.to_bytes(8) for part in parts}


def keys_from(part: str) -> tuple[bytes, bytes]:
    """Return the range of the keys of words with this part: its inclusive start and its exclusive end."""
    begin = part[:LONGEST].encode()
    return begin, begin + b"\xff"  # no text in UTF-8 contains this byte
