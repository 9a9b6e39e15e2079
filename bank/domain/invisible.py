"""Invisible characters, which can make two names look alike or reverse the direction of a line.

See https://www.unicode.org/reports/tr36/ (2.10, default-ignorable characters; 2.5, bidirectional text).
"""

import re
import unicodedata

# Default_Ignorable_Code_Point (DerivedCoreProperties.txt): Unicode guarantees that no font shows these. The Braille
# blank, the marks of ruby text and of embedded objects, and noncharacters lack that property, but are invisible too.
_NONCHARACTERS = "\ufdd0-\ufdef" + "".join(
    chr(0x10000 * plane + low) for plane in range(17) for low in (0xFFFE, 0xFFFF)
)
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffc\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    f"{_NONCHARACTERS}]"
)
_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")
_SELECTS = re.compile("[\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_VIRAMA = 9
"""The combining class of the sign that joins two consonants of an Indic script."""


def trim(text: str) -> str:
    """Return a text without the spaces and invisible characters around it. Direction marks stay."""
    start, end = 0, len(text)
    while start < end and _is_blank(text, start):
        start += 1
    while start < end and _is_blank(text, end - 1):
        end -= 1
    return text[start:end]


def invisible_in(text: str) -> str:
    """Return the first invisible character without a use at its place, or the empty string."""
    return next((found[0] for found in _INVISIBLE.finditer(text) if not _is_of_use(text, found.start())), "")


def _is_blank(text: str, at: int) -> bool:
    character = text[at]
    if character.isspace():
        return True
    return bool(_INVISIBLE.match(character)) and not _TURNS.match(character) and not _is_of_use(text, at)


def _is_of_use(text: str, at: int) -> bool:
    """Return whether an invisible character changes the shape of its neighbours.

    This is true for
    - a joiner or non-joiner beside a virama and between Arabic letters (RFC 5892, A.1 and A.2), and before a virama,
      as in Bengali;
    - a joiner between emoji;
    - a variation selector after an ideograph, a letter or an emoji.
    """
    character, before, after = text[at], text[max(at - 1, 0) : at] or " ", text[at + 1 : at + 2] or " "
    if _SELECTS.match(character):
        return unicodedata.category(before) in ("Lo", "So")
    if character not in "\u200c\u200d":
        return False
    if unicodedata.combining(before) == _VIRAMA:
        return True
    if unicodedata.combining(after) == _VIRAMA:
        return unicodedata.category(before)[0] in "LM"
    if unicodedata.bidirectional(after) == "AL":
        return unicodedata.bidirectional(before) in ("AL", "NSM")  # a vowel mark may follow the letter
    is_emoji = unicodedata.category(before) in ("So", "Sk") or before == "\ufe0f"
    return character == "\u200d" and is_emoji and unicodedata.category(after) == "So"
