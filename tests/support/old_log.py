"""A log in which each event type has its first version, as the program wrote it before any type had a second one.

`log_of_first_versions.json` has the rows of the record: real hashes and seals, under the keys of `tests/settings.py`.
"""

import json
from datetime import datetime
from pathlib import Path
from uuid import UUID

from tests.support import vandal
from tests.support.databases import Urls, stranger

FILE = Path(__file__).parents[1] / "application" / "log_of_first_versions.json"
BINARY = ("hash", "seal", "fingerprint", "salt", "digest")


def load_into(urls: Urls) -> None:
    """Write the log into an empty bank."""
    with stranger(urls["DATABASE_URL"]) as database:
        for table, rows in json.loads(FILE.read_text()).items():
            if table != vandal.EPOCH:
                for row in rows:
                    vandal.insert_row(database, table, {name: _value(name, value) for name, value in row.items()})
        if not vandal.is_sqlite(database):
            next_position = "(SELECT MAX(position) FROM eventstore_event)"
            database.execute(f"SELECT setval(pg_get_serial_sequence('eventstore_event', 'position'), {next_position})")
            database.commit()


def _value(name: str, value: object) -> object:
    if not isinstance(value, str):
        return value
    if name in BINARY:
        return bytes.fromhex(value)
    if name in vandal.MOMENTS:
        return datetime.fromisoformat(value)
    return UUID(value) if name in ("id", "command_id") else value
