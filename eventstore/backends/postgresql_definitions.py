"""PostgreSQL's queries for the definitions of tables and functions.

The last argument of `pg_get_triggerdef` and its like omits the schema of a table that the search path finds.
"""

TABLE = """
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
    SELECT 'unique index ' || indexrelid::regclass::text, pg_get_indexdef(indexrelid, 0, true)
    FROM record JOIN pg_index ON indrelid = record.oid AND indisunique
    WHERE NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid)
    UNION ALL
    SELECT 'trigger ' || tgname, concat_ws(' ', pg_get_triggerdef(pg_trigger.oid, true),
        CASE tgenabled WHEN 'D' THEN 'DISABLED' WHEN 'R' THEN 'ENABLED ON REPLICAS' END, 'AS', lanname,
        replace(prosrc, concat(relnamespace::regnamespace, '.', relname), relname))  -- the function names the schema
    FROM record JOIN pg_trigger ON tgrelid = record.oid AND NOT tgisinternal
        JOIN pg_proc ON pg_proc.oid = tgfoid JOIN pg_language ON pg_language.oid = prolang
    UNION ALL
    SELECT 'rule ' || rulename, pg_get_ruledef(pg_rewrite.oid, true)
    FROM record JOIN pg_rewrite ON ev_class = record.oid
"""
FUNCTIONS = """
    SELECT 'function ' || proname, concat_ws(' ', lanname, COALESCE(
        -- Some versions of PostgreSQL write the table before a column.
        replace(pg_get_function_sqlbody(pg_proc.oid), 'eventstore_epoch.', ''), prosrc))
    FROM pg_proc JOIN pg_language ON pg_language.oid = prolang
    WHERE pg_proc.oid IN (SELECT to_regproc(substr(name, 10)) FROM unnest(%s::text[]) AS name WHERE name ^@ 'function ')
    UNION ALL
    SELECT 'setting session_replication_role', current_setting('session_replication_role')
"""
