"""An attacker with the database, who edits, deletes, inserts, swaps and truncates rows and covers the traces.

The attacker knows the structure of the rows and recomputes hashes, versions and positions. The keys are used only where
the docstring says so.
"""

import json
import random
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from eventstore import seals
from eventstore.chain import GENESIS, canonical, command_text, event_hash, snapshot_text, state_hash
from eventstore.events import Envelope

EVENT, COMMAND, SNAPSHOT = "eventstore_event", "eventstore_commandrecord", "eventstore_snapshot"
VERIFIER, EPOCH = "bank_pinverifier", "eventstore_epoch"
ORDER = {EVENT: "position", COMMAND: "received_at", SNAPSHOT: "stream", VERIFIER: "account_id", EPOCH: "number"}
JSON = ("data", "metadata", "state")
MOMENTS = ("recorded_at", "received_at", "began_at")

NONSENSE = (ValueError, TypeError, KeyError, AttributeError, OverflowError, IndexError)
"""The errors that a row spoiled by the attacker may cause in later work on it."""

type Row = dict[str, Any]
type Tables = dict[str, list[Row]]
type Mutation = Callable[[Tables, random.Random], str]


# Rows in the same form from both databases


def load(database: Any) -> Tables:
    """Return every row of the record."""
    tables: Tables = {}
    for table, order in ORDER.items():
        cursor = database.execute(f"SELECT * FROM {table} ORDER BY {order}")
        names = [column[0] for column in cursor.description]
        tables[table] = [
            {name: _read(name, value) for name, value in zip(names, row, strict=True)} for row in cursor.fetchall()
        ]
    return tables


def _read(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if name in JSON:
        return json.loads(value)
    if name in MOMENTS:
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    return UUID(value) if name in ("id", "command_id") else value


def save(database: Any, before: Tables, tables: Tables, *, hide_end: bool) -> None:
    """Replace the stored rows by these rows in spite of the triggers, which stay.

    Args:
        hide_end: also reset SQLite's last given position.
    """
    on_sqlite = is_sqlite(database)
    database.execute("BEGIN")
    triggers = []
    if on_sqlite:
        triggers = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            database.execute(f"DROP TRIGGER {name}")
        last = database.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", [EVENT]).fetchone()[0]
    else:
        database.execute("SET session_replication_role = replica")
    for table, rows in tables.items():
        if rows != before[table]:
            database.execute(f"DELETE FROM {table}")
            for row in rows:
                insert_row(database, table, row)
    if on_sqlite:
        last = max((row["position"] for row in tables[EVENT]), default=0) if hide_end else last
        database.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = ?", [last, EVENT])
    for _, statement in triggers:
        database.execute(statement)
    database.execute("COMMIT")


def insert_row(database: Any, table: str, row: Row) -> None:
    """Write one row, with its own position."""
    on_sqlite = is_sqlite(database)
    marks = ", ".join(["?" if on_sqlite else "%s"] * len(row))
    overriding = "" if on_sqlite else "OVERRIDING SYSTEM VALUE"
    values = [_written(value, on_sqlite=on_sqlite) for value in row.values()]
    database.execute(f"INSERT INTO {table} ({', '.join(row)}) {overriding} VALUES ({marks})", values)


def is_sqlite(database: Any) -> bool:
    return type(database).__module__ == "sqlite3"


def _written(value: Any, *, on_sqlite: bool) -> Any:
    match value:
        case dict():
            return canonical(value)
        case UUID() if on_sqlite:
            return value.hex
        case datetime() if on_sqlite:
            return str(value.astimezone(UTC).replace(tzinfo=None))
    return value


# Changes


def edit(tables: Tables, chance: random.Random) -> str:
    """Change one column of one row."""
    table = chance.choice([name for name, rows in tables.items() if rows])
    row = chance.choice(tables[table])
    column = chance.choice(list(row))
    row[column] = another(row[column], [each[column] for each in tables[table]], chance)
    return f"edit {table}.{column}"


def another(value: Any, others: list[Any], chance: random.Random) -> Any:
    """Return another value of the same kind: that of a neighbour, or a new one."""
    different = [each for each in others if each != value]
    if different and chance.random() < 0.3:
        return chance.choice(different)
    match value:
        case int():
            return value + chance.choice([-1, 1, 100, 10**6])
        case bytes():
            spoilt = bytearray(value)
            spoilt[chance.randrange(len(value))] ^= 1 << chance.randrange(8)
            return bytes(spoilt)
        case datetime():
            return value + timedelta(microseconds=chance.choice([-1, 1, 10**9]))
        case UUID():
            return UUID(int=chance.getrandbits(128), version=4)
        case dict():
            key = chance.choice([*value, "more"])
            return {**value, key: another(value.get(key, ""), [], chance)}
        case str():
            log_position = chance.randrange(len(value) + 1)
            return value[:log_position] + chance.choice("07xé ") + value[log_position + chance.randrange(2) :]
    return 1


def delete(tables: Tables, chance: random.Random) -> str:
    """Delete a row. Snapshots are a cache, so any may be missing."""
    table = chance.choice([name for name, rows in tables.items() if rows and name != SNAPSHOT])
    row = tables[table].pop(chance.randrange(len(tables[table])))
    return f"delete {row.get('outcome', '')} {table}".replace("  ", " ")


def insert(tables: Tables, chance: random.Random) -> str:
    """Insert a row that looks like another."""
    table = chance.choice([EVENT, COMMAND, VERIFIER])
    row = dict(chance.choice(tables[table]))
    if table == EVENT:
        row["position"] = max(each["position"] for each in tables[EVENT]) + 1
        row["version"] = 1 + sum(each["stream"] == row["stream"] for each in tables[EVENT])
    elif table == COMMAND:
        row["id"] = UUID(int=chance.getrandbits(128), version=4)
    else:
        row["account_id"] += 1000
    tables[table].append(row)
    return f"insert {row.get('outcome', '')} {table}".replace("  ", " ")


def swap(tables: Tables, chance: random.Random) -> str:
    """Exchange a column of two rows, or all columns but the key."""
    table = chance.choice([name for name, rows in tables.items() if len(rows) > 1])
    one, other = chance.sample(tables[table], 2)
    column = chance.choice(list(one))
    for each in [column] if chance.random() < 0.5 else list(one)[1:]:
        one[each], other[each] = other[each], one[each]
    return f"swap {table} {column}"


def truncate(tables: Tables, chance: random.Random) -> str:
    """Cut off the end of the log or of a stream, or empty a table, with or without the command records."""
    what = chance.choice(["log", "stream", "stream", "table"])
    gone: list[Row] = []
    if what == "log":
        remaining = chance.randrange(len(tables[EVENT]))
        gone, tables[EVENT] = tables[EVENT][remaining:], tables[EVENT][:remaining]
    elif what == "stream":
        one = chance.choice(tables[EVENT])
        gone = [row for row in tables[EVENT] if row["stream"] == one["stream"] and row["version"] >= one["version"]]
        tables[EVENT] = [row for row in tables[EVENT] if row not in gone]
    else:
        tables[chance.choice([EVENT, COMMAND, VERIFIER])].clear()
    if chance.random() < 0.5:
        ids = {row["command_id"] for row in gone}
        tables[COMMAND] = [row for row in tables[COMMAND] if row["id"] not in ids]
    return f"truncate the {what}"


MUTATIONS: list[Mutation] = [edit, edit, delete, insert, swap, truncate]


# Covering the traces


def recompute(tables: Tables) -> None:
    """Renumber the rows without gaps, rebuild the chain, and adapt everything else to it."""
    events = tables[EVENT] = sorted(tables[EVENT], key=lambda row: row["position"])
    ends: dict[str, tuple[int, bytes]] = defaultdict(lambda: (0, GENESIS))
    by_command: dict[UUID, list[Row]] = defaultdict(list)
    for position, row in enumerate(events, 1):
        version, previous = ends[row["stream"]]
        row["position"], row["version"] = position, version + 1
        row["hash"] = event_hash(
            previous,
            row["stream"],
            version + 1,
            row["type"],
            row["schema_version"],
            canonical(row["data"]),
            canonical(row["metadata"]),
            row["command_id"],
            row["recorded_at"],
        )
        ends[row["stream"]] = row["version"], row["hash"]
        by_command[row["command_id"]].append(row)
    for record in tables[COMMAND]:
        if mine := by_command.get(record["id"]):
            last = mine[-1]
            record |= {name: last[name] for name in ("stream", "version", "position", "transaction_id")}
            record |= {"outcome": "accepted", "event_count": len(mine)}
    tables[COMMAND] = [row for row in tables[COMMAND] if row["outcome"] == "rejected" or row["id"] in by_command]
    accounts = {row["data"].get("accountId") for row in events}
    tables[VERIFIER] = [row for row in tables[VERIFIER] if row["account_id"] in accounts]
    tables[SNAPSHOT] = []


def forge_snapshot(snapshot: Row, state: Row, event_hash: bytes, *, keys: bool) -> None:
    """Replace a snapshot's state with a fitting hash, which takes no key, and a seal with stolen keys."""
    snapshot["state"], snapshot["hash"] = state, state_hash(canonical(state), event_hash)
    if keys:
        snapshot["seal"] = seals.seal(snapshot_text(snapshot["stream"], snapshot["version"], snapshot["hash"]))


def reseal(tables: Tables) -> None:
    """Seal the command records again with stolen keys."""
    hashes = {(row["stream"], row["version"]): row["hash"] for row in tables[EVENT]}
    for row in tables[COMMAND]:
        head = row["id"], row["name"], row["actor"], row["received_at"], row["fingerprint"]
        envelope = Envelope(*head, causation=row["causation"])
        names = ("outcome", "reason", "message", "stream", "version", "event_count")
        last_hash = hashes.get((row["stream"], row["version"]), GENESIS)
        row["seal"] = seals.seal(command_text(envelope, [row[name] for name in names], last_hash))
