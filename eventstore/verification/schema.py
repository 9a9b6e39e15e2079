"""Comparison of a database's triggers, constraints and columns with those that the migrations make.

The record is append-only because the database refuses every other change. A dropped or replaced trigger leaves no trace
in the rows, but this comparison finds it. Plain indexes are not compared: they change only the speed of the database.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from django.db import connections

from ..bulk_reading import rows_of

type Schema = Mapping[str, Mapping[str, str]]
"""The definitions of a database, by table name and object name."""

FUNCTIONS = "functions"
"""The entry of a schema for the objects that belong to no table."""

_SQLITE = """
    SELECT CASE type WHEN 'table' THEN type WHEN 'index' THEN 'unique index ' || name ELSE type || ' ' || name END, sql
    FROM sqlite_master
    WHERE tbl_name = %s COLLATE NOCASE AND (type <> 'index' OR sql LIKE 'CREATE UNIQUE %%')
"""
_POSTGRESQL_TABLE = """
    WITH record AS (SELECT * FROM pg_class WHERE oid = to_regclass(%s))
    SELECT 'table', concat_ws(' ', relkind, relpersistence, CASE WHEN relrowsecurity THEN 'with row security' END,
        CASE WHEN EXISTS (SELECT 1 FROM pg_inherits WHERE inhparent = record.oid) THEN 'with child tables' END)
    FROM record
    UNION ALL
    SELECT 'column ' || attname, concat_ws(' ', format_type(atttypid, atttypmod),
        CASE WHEN attcollation <> typcollation THEN 'COLLATE ' || attcollation::regcollation::text END,
        CASE WHEN attnotnull THEN 'NOT NULL' END,
        CASE WHEN attidentity <> '' THEN 'IDENTITY ' || attidentity::text END,
        CASE WHEN attgenerated <> '' THEN 'GENERATED ' || attgenerated::text END,
        'DEFAULT ' || pg_get_expr(adbin, adrelid))
    FROM record JOIN pg_attribute ON attrelid = record.oid AND attnum > 0 AND NOT attisdropped
        JOIN pg_type ON pg_type.oid = atttypid
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    UNION ALL
    SELECT 'constraint ' || conname, concat_ws(' ', pg_get_constraintdef(pg_constraint.oid),
        CASE WHEN NOT (indisvalid AND indisready) THEN 'with an invalid index' END)
    FROM record JOIN pg_constraint ON conrelid = record.oid AND contype <> 'n'  -- from PostgreSQL 18 on, NOT NULL
        LEFT JOIN pg_index ON indexrelid = conindid
    UNION ALL
    SELECT 'unique index ' || indexrelid::regclass::text, pg_get_indexdef(indexrelid)
    FROM record JOIN pg_index ON indrelid = record.oid AND indisunique
    WHERE NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid)
    UNION ALL
    SELECT 'trigger ' || tgname, concat_ws(' ', pg_get_triggerdef(pg_trigger.oid),
        CASE tgenabled WHEN 'D' THEN 'DISABLED' WHEN 'R' THEN 'ENABLED ON REPLICAS' END, 'AS', lanname, prosrc)
    FROM record JOIN pg_trigger ON tgrelid = record.oid AND NOT tgisinternal
        JOIN pg_proc ON pg_proc.oid = tgfoid JOIN pg_language ON pg_language.oid = prolang
    UNION ALL
    SELECT 'rule ' || rulename, pg_get_ruledef(pg_rewrite.oid)
    FROM record JOIN pg_rewrite ON ev_class = record.oid
"""
_POSTGRESQL_FUNCTIONS = """
    SELECT 'function ' || proname, concat_ws(' ', lanname, COALESCE(
        -- Some versions of PostgreSQL write the table before a column.
        replace(pg_get_function_sqlbody(pg_proc.oid), 'eventstore_epoch.', ''), prosrc))
    FROM pg_proc JOIN pg_language ON pg_language.oid = prolang
    WHERE pg_proc.oid IN (SELECT to_regproc(name) FROM unnest(%s::text[]) AS name)
    UNION ALL
    SELECT 'setting session_replication_role', current_setting('session_replication_role')
"""
_POSTGRESQL_SCHEMA = """
    SELECT quote_ident(nspname) FROM pg_namespace
    WHERE oid IN (SELECT relnamespace FROM pg_class WHERE oid = to_regclass('eventstore_event'))
"""


def differences(using: str, expected: Schema) -> Iterator[tuple[str, str]]:
    """Yield each object that is missing, altered or unknown to the migrations, and the difference.

    The caller must be within `one_moment`.

    Args:
        expected: the schema that the migrations make in this kind of database.
    """
    schema = _schema(using)
    for table, definitions in expected.items():
        now = definitions_of(using, table, definitions)
        if not now:
            yield table, "it is missing"
            continue
        # The schema's name may be any word of a definition, so it is removed from both.
        right = {name: _plain(text, schema) for name, text in definitions.items()}
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
    if connections[using].vendor == "sqlite":
        # Django's own backend declares as `bigint` the columns that this project's backend declares as `integer`.
        rows = rows_of(using, _SQLITE, [table])
        return {name: re.sub(r"\b(big|small)int\b", "integer", _plain(text)) for name, text in rows}
    if table == FUNCTIONS:
        functions = [name.removeprefix("function ") for name in names if name.startswith("function ")]
        rows = rows_of(using, _POSTGRESQL_FUNCTIONS, [functions])
    else:
        rows = rows_of(using, _POSTGRESQL_TABLE, [table])
    schema = _schema(using)
    return {name: _plain(text, schema) for name, text in rows}


def _schema(using: str) -> str:
    """Return the schema of the record on PostgreSQL, or the empty string."""
    if connections[using].vendor == "sqlite":
        return ""
    return next((name for (name,) in rows_of(using, _POSTGRESQL_SCHEMA)), "")


def _plain(text: str, schema: str = "") -> str:
    """Return a definition with single spaces and without the name of the schema."""
    return " ".join((text.replace(f"{schema}.", "") if schema else text).split())
