"""Translation of the sentences with which the bank rejects a command.

The domain says them in English, and the record keeps them so. A catalog knows each by its shape: the sentence with "{}"
for each value. Values are numbers, code points, and what stands in curly quotes.
"""

import re

from django.utils.translation import gettext

_VALUE = re.compile("U\\+[0-9A-F]{1,6}|[0-9]+|\u201c[^\u201d]*\u201d")


def shape(sentence: str) -> str:
    """Return the text of a sentence in the catalogs: "Account 7 is closed." is "Account {} is closed."."""
    return _VALUE.sub("{}", sentence)


def in_users_language(sentence: str) -> str:
    """Return a sentence of a rejection in the user's language, or as it is if the catalog does not know it."""
    translated = gettext(shape(sentence))
    return sentence if translated == shape(sentence) else translated.format(*_VALUE.findall(sentence))
