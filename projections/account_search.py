"""The SQL condition of a search for accounts by number and by the words of holders' names."""

from operator import itemgetter

from .name_search import account_number, keys_from, searched_number, searched_words
from .sql import rows

FEW = 5000
"""The largest number of accounts with a word that are found by the parts of names; more are found by a scan."""
MOST_WORDS = 4
"""The largest number of words of a search whose accounts are counted."""

_LITERALLY = str.maketrans({sign: f"\\{sign}" for sign in "\\%_"})
"""Escapes the wildcards of LIKE."""
_PARTS = "FROM projections_namepart WHERE key >= %s AND key < %s"
_ARE_KNOWN = """
    SELECT -1, COUNT(*) FROM projections_checkpoint AS names, projections_checkpoint AS accounts
    WHERE names.name = 'names' AND accounts.name = 'accounts'
      AND (names.transaction_id, names.position) >= (accounts.transaction_id, accounts.position)
"""


def condition(text: str, *, closed: bool, locked: bool) -> tuple[str, list[object]]:
    """Return the SQL condition of a search, and its values; see `queries.find_accounts`."""
    conditions, values = ["TRUE"], list[object]()
    text = text.replace("\0", "")
    number = searched_number(text)
    if not closed:
        conditions.append("(closed_at IS NULL OR account_id = %s)")
        values.append(number or 0)
    if locked:
        conditions.append("pin_locked")
    if words := searched_words(text):
        wanted, more = _is_wanted(words, number)
        conditions.append(wanted)
        values += more
        if rare := _rare(words[:MOST_WORDS]):
            conditions.append(f"account_id IN (SELECT account_id {_PARTS} UNION ALL SELECT %s UNION ALL SELECT %s)")
            values += *keys_from(rare), account_number(rare) or 0, number or 0
    return " AND ".join(conditions), values


def _is_wanted(words: list[str], number: int | None) -> tuple[str, list[object]]:
    """Return the SQL condition that an account has this number or each of these words, and its values."""
    conditions: list[str] = []
    values: list[object] = []
    for word in words:
        conditions.append(r"(search_name LIKE %s ESCAPE '\' OR account_id = %s)")
        values += f"%{word.translate(_LITERALLY)}%", account_number(word) or 0
    return f"({' AND '.join(conditions)} OR account_id = %s)", [*values, number or 0]


def _rare(words: list[str]) -> str | None:
    """Return the word that the fewest accounts have, if they are few and the parts of all names are stored.

    If many accounts have each word, a scan in the order of account numbers fills the first page soon.
    """
    counts = [f"SELECT {n}, COUNT(*) FROM (SELECT 1 {_PARTS} LIMIT {FEW + 1}) AS part" for n in range(len(words))]
    values = [value for word in words for value in keys_from(word)]
    (_, are_known), *found = sorted(rows(" UNION ALL ".join([*counts, _ARE_KNOWN]), *values))
    number, count = min(found, key=itemgetter(1))
    return words[number] if are_known and count <= FEW else None
