"""How holders' names are found: by any part of a word, without case and accents, however many accounts there are.

A part of a word is how the word goes on from some letter. So each account has a row for each letter of its holder's
name, in an order in which those that begin alike stand together.
"""

import unicodedata

LONGEST = 16
"""How many letters of a part are kept."""


def search_form(text: str) -> str:
    """Return a name as it is searched for: without case and accents."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def name_keys(holder: str, account_id: int) -> set[bytes]:
    """Return the keys of the parts of a holder's name."""
    parts = {word[start : start + LONGEST] for word in search_form(holder).split() for start in range(len(word))}
    return {part.encode() + b"\0" + account_id.to_bytes(8) for part in parts}


def keys_from(part: str) -> tuple[bytes, bytes]:
    """Return from where, inclusive, and up to where, exclusive, the keys are of words with this part."""
    begin = part[:LONGEST].encode()
    return begin, begin + b"\xff"  # which is in no text in UTF-8
