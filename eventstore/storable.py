"""The check that every database stores a value unchanged, so that the stored value still has its hash."""

import re

_LOST = re.compile("[\0\ud800-\udfff]")


class Unstorable(ValueError):
    """A value that some database would refuse or change. Nothing was written."""


def check_storable(value: object) -> None:
    """Raise Unstorable unless every database stores a text or a JSON value unchanged.

    PostgreSQL's text has no NUL, UTF-8 has no lone surrogates, and `jsonb` rewrites some floats.
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
