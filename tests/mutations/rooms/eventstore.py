"""The event store: appending, reading in order, hashes and seals, snapshots, append-only tables."""

from ..mutation import Mutation

MUTATIONS = [
    Mutation(
        breaks="A writer that has not read the latest event of a stream is not refused.",
        file="eventstore/errors.py",
        text='    "eventstore_event is append-only": WrongExpectedVersion,\n',
        instead="",
        tests=["tests/eventstore/test_store.py::test_an_append_after_an_older_version_is_refused"],
    ),
    Mutation(
        breaks="A used command id is not refused.",
        file="eventstore/errors.py",
        text='    "eventstore_commandrecord is append-only": CommandIdTaken,\n',
        instead="",
        tests=["tests/eventstore/test_store.py::test_a_command_id_counts_once_across_all_streams"],
    ),
    Mutation(
        breaks="An event is appended after another event than the one that the decision was made on.",
        file="eventstore/backends/sqlite.py",
        text="AND version = %s AND hash = %s",
        instead="AND version = %s AND (hash = %s OR TRUE)",
        tests=["tests/eventstore/test_store.py::test_a_writer_who_expects_another_event_at_the_version_is_refused"],
    ),
    Mutation(
        breaks="On PostgreSQL an event is appended after another event than the one that the decision was made on.",
        file="eventstore/backends/postgresql.py",
        text="AND version = %s AND hash = %s::bytea",
        instead="AND version = %s AND (hash = %s::bytea OR TRUE)",
        tests=["tests/eventstore/test_store.py::test_a_writer_who_expects_another_event_at_the_version_is_refused"],
        database="postgresql",
    ),
    Mutation(
        breaks="On PostgreSQL a writer without the stream's lock appends while another one holds it.",
        file="eventstore/backends/postgresql.py",
        text='WHERE pg_try_advisory_xact_lock({_STREAM_LOCK.format("%s")}) AND',
        instead='WHERE {_STREAM_LOCK.format("%s")} IS NOT NULL AND',
        tests=[
            "tests/eventstore/test_stream_lock.py::test_an_append_without_the_stream_lock_is_refused_while_another_writer_holds_it"
        ],
        database="postgresql",
    ),
    Mutation(
        breaks="An append becomes a part of somebody else's transaction.",
        file="eventstore/backends/sqlite.py",
        text="durable=True",
        instead="durable=False",
        tests=[
            "tests/eventstore/test_store_transactions.py::test_an_append_within_somebody_elses_transaction_is_refused"
        ],
    ),
    Mutation(
        breaks="On PostgreSQL an append becomes a part of somebody else's transaction.",
        file="eventstore/backends/postgresql.py",
        text="durable=True",
        instead="durable=False",
        tests=[
            "tests/eventstore/test_store_transactions.py::test_an_append_within_somebody_elses_transaction_is_refused"
        ],
        database="postgresql",
    ),
    Mutation(
        breaks="The command record is written in a transaction of its own.",
        file="eventstore/backends/sqlite.py",
        text="            cursor.execute(INSERT_COMMAND, [*command, position])\n",
        instead='            cursor.execute("COMMIT")\n            cursor.execute("BEGIN IMMEDIATE")\n'
        "            cursor.execute(INSERT_COMMAND, [*command, position])\n",
        tests=["tests/eventstore/test_store_transactions.py::test_a_failed_append_writes_nothing_and_sends_no_signal"],
    ),
    Mutation(
        breaks="Events are announced before they are committed.",
        file="eventstore/store.py",
        text="after_commit(lock, lambda: events_appended.send(sender=append, events=recorded))",
        instead="events_appended.send(sender=append, events=recorded)",
        tests=[
            "tests/eventstore/test_store_transactions.py::test_events_appended_under_the_stream_lock_are_announced_after_the_commit"
        ],
    ),
    Mutation(
        breaks="A reader of the log gets the event at its checkpoint a second time.",
        file="eventstore/backends/sqlite.py",
        text='log_after = "position > %s"',
        instead='log_after = "position >= %s"',
        tests=["tests/eventstore/test_store.py::test_the_whole_log_can_be_read_in_pieces"],
    ),
    Mutation(
        breaks="On PostgreSQL a reader of the log gets the event at its checkpoint a second time.",
        file="eventstore/backends/postgresql.py",
        text="(transaction_id, position) > (%s, %s)",
        instead="(transaction_id, position) >= (%s, %s)",
        tests=["tests/eventstore/test_store.py::test_the_whole_log_can_be_read_in_pieces"],
        database="postgresql",
    ),
    Mutation(
        breaks="On PostgreSQL a reader of the log overtakes a writer whose transaction is still open.",
        file="eventstore/backends/postgresql.py",
        text="transaction_id < pg_snapshot_xmin(",
        instead="transaction_id < 1000000 + pg_snapshot_xmin(",
        tests=[
            "tests/eventstore/test_log_order.py::test_a_slow_writer_with_a_lower_position_is_not_skipped_when_a_fast_one_commits_before_it"
        ],
        database="postgresql",
    ),
    Mutation(
        breaks="An event's hash does not cover the event before it.",
        file="eventstore/chain.py",
        text="hashlib.sha256(previous + row.encode())",
        instead="hashlib.sha256(row.encode())",
        tests=[
            "tests/eventstore/test_hashing.py::test_a_known_event_has_its_known_hash",
            "tests/eventstore/test_chain.py::test_any_change_of_a_row_breaks_the_chain",
        ],
    ),
    Mutation(
        breaks="An event's hash does not cover its payload.",
        file="eventstore/chain.py",
        text="{_text(data)}",
        instead='{_text("")}',
        tests=["tests/eventstore/test_hashing.py::test_an_events_hash_goes_over_the_json_of_its_row"],
    ),
    Mutation(
        breaks="An event's hash does not cover its actor.",
        file="eventstore/chain.py",
        text="{_text(metadata)}",
        instead='{_text("")}',
        tests=["tests/eventstore/test_hashing.py::test_an_events_hash_goes_over_the_json_of_its_row"],
    ),
    Mutation(
        breaks="An event's hash does not cover when it was recorded.",
        file="eventstore/chain.py",
        text='"{command_id}", "{recorded_at}"]',
        instead='"{command_id}", ""]',
        tests=["tests/eventstore/test_hashing.py::test_an_events_hash_goes_over_the_json_of_its_row"],
    ),
    Mutation(
        breaks="The seal of a command record does not cover the command's events.",
        file="eventstore/chain.py",
        text='"{last_hash.hex()}"{caused}]',
        instead='""{caused}]',
        tests=["tests/eventstore/test_hashing.py::test_a_command_records_seal_goes_over_the_json_of_its_row"],
    ),
    Mutation(
        breaks="The seal of a command record does not cover the command's content.",
        file="eventstore/chain.py",
        text='"{fingerprint.hex()}", {became}',
        instead='"", {became}',
        tests=["tests/eventstore/test_hashing.py::test_a_command_records_seal_goes_over_the_json_of_its_row"],
    ),
    Mutation(
        breaks="Any seal under a known key fits any content.",
        file="eventstore/seals.py",
        text="if not hmac.compare_digest(_digest(key, content), mark[KEY_ID:]):",
        instead="if False:",
        tests=["tests/eventstore/test_hashing.py::test_a_seal_is_of_one_text_under_one_key"],
    ),
    Mutation(
        breaks="A snapshot is used without a proof that it belongs to its events.",
        file="eventstore/snapshots.py",
        text="if state_hash(text, event_hash) != snapshot.hash or not is_sealed(stream, snapshot):",
        instead="if not is_sealed(stream, snapshot):",
        tests=["tests/eventstore/test_forged_snapshots.py::test_a_changed_or_moved_snapshot_is_not_used"],
    ),
    Mutation(
        breaks="A snapshot is used that the bank has not sealed.",
        file="eventstore/snapshots.py",
        text="if state_hash(text, event_hash) != snapshot.hash or not is_sealed(stream, snapshot):",
        instead="if state_hash(text, event_hash) != snapshot.hash:",
        tests=["tests/eventstore/test_forged_snapshots.py::test_a_forged_snapshot_unlocks_nothing"],
    ),
    Mutation(
        breaks="An older snapshot replaces a newer one.",
        file="eventstore/snapshots.py",
        text="    WHERE eventstore_snapshot.version < excluded.version\n",
        instead="",
        tests=["tests/application/test_handlers.py::TestSnapshots::test_an_older_snapshot_replaces_no_newer_one"],
    ),
    Mutation(
        breaks="SQLite lets a recorded row be updated.",
        file="eventstore/migrations/0002_append_only.py",
        text="BEFORE UPDATE ON {table} BEGIN {refuse}; END",
        instead="BEFORE UPDATE ON {table} BEGIN SELECT 1; END",
        tests=["tests/eventstore/test_append_only.py::test_the_database_refuses_every_statement"],
    ),
    Mutation(
        breaks="SQLite lets a recorded row be deleted.",
        file="eventstore/migrations/0002_append_only.py",
        text="BEFORE DELETE ON {table} BEGIN {refuse}; END",
        instead="BEFORE DELETE ON {table} BEGIN SELECT 1; END",
        tests=["tests/eventstore/test_append_only.py::test_the_database_refuses_every_statement"],
    ),
    Mutation(
        breaks="SQLite lets a recorded row be replaced by an insert.",
        file="eventstore/migrations/0002_append_only.py",
        text='f"WHEN EXISTS (SELECT 1 FROM {table} old WHERE {same}) BEGIN {refuse}; END"',
        instead='f"WHEN EXISTS (SELECT 1 FROM {table} old WHERE {same}) BEGIN SELECT 1; END"',
        tests=["tests/eventstore/test_append_only.py::test_it_refuses_a_stranger_to_the_application_as_well"],
    ),
    Mutation(
        breaks="PostgreSQL lets a table of the record be truncated.",
        file="eventstore/migrations/0002_append_only.py",
        text="BEFORE UPDATE OR DELETE OR TRUNCATE ON",
        instead="BEFORE UPDATE OR DELETE ON",
        tests=["tests/eventstore/test_append_only.py::test_the_database_refuses_every_statement"],
        database="postgresql",
    ),
]
