"""What every database keeps as it was given, so that what is hashed is what is read back."""

import re

_LOST = re.compile("[\0\ud800-\udfff]")


class Unstorable(ValueError):
    """A value that one database or the other would refuse or change; nothing was written."""


def check_storable(value: object) -> None:
    """Raise Unstorable unless a text, or all that is in a JSON value, is kept as it is.

    PostgreSQL's text knows no NUL, UTF-8 no half of a surrogate pair, and `jsonb` writes some floats in another way.
    """
    if isinstance(value, str):
        if not (value.isascii() and "\0" not in value) and _LOST.search(value):
            raise Unstorable("A text holds a NUL or half a character, which not every database keeps.")
    elif isinstance(value, dict):
        for each in (*value, *value.values()):
            if type(each) is not int:
                check_storable(each)
    elif isinstance(value, list | tuple):
        for each in value:
            check_storable(each)
    elif not (value is None or isinstance(value, int)):
        raise Unstorable(f"A {type(value).__name__} is not kept alike by every database.")
