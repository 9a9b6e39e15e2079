"""Comparison of a database's triggers, constraints and columns with those that the migrations make.

The record is append-only because the database refuses every other change. A dropped or replaced trigger leaves no trace
in the rows, but this comparison finds it. Plain indexes are not compared: they change only the speed of the database.
"""

from collections.abc import Iterable, Iterator, Mapping

from ..backends import backend_of

type Schema = Mapping[str, Mapping[str, str]]
"""The definitions of a database, by table name and object name."""

FUNCTIONS = "functions"
"""The entry of a schema for the objects that belong to no table."""


def differences(using: str, expected: Schema) -> Iterator[tuple[str, str]]:
    """Yield each object that is missing, altered or unknown to the migrations, and the difference.

    The caller must be within `one_moment`.

    Args:
        expected: the schema that the migrations make in this kind of database.
    """
    for table, definitions in expected.items():
        now = definitions_of(using, table, definitions)
        if not now:
            yield table, "it is missing"
            continue
        right = {name: _plain(text) for name, text in definitions.items()}
        for name in sorted(right.keys() | now.keys()):
            if name not in now:
                yield f"{table}, {name}", f"it is missing. The migrations make: {right[name]}"
            elif name not in right:
                yield f"{table}, {name}", f"the migrations do not make it: {now[name]}"
            elif now[name] != right[name]:
                yield f"{table}, {name}", f"it was altered to: {now[name]}. The migrations make: {right[name]}"


def definitions_of(using: str, table: str, names: Iterable[str] = ()) -> dict[str, str]:
    """Return the definitions of a table, its columns, constraints, triggers and rules by their names.

    Args:
        table: the name of a table, or `FUNCTIONS`.
        names: the names of the wanted functions, if `table` is `FUNCTIONS`.
    """
    backend = backend_of(using)
    rows = backend.function_definitions(list(names)) if table == FUNCTIONS else backend.definitions(table)
    return {name: _plain(text) for name, text in rows}


def _plain(text: str) -> str:
    """Return a definition with single spaces."""
    return " ".join(text.split())
