"""The definitions of the record's tables as the migrations make them, by kind of database.

A test compares them with the migrations, ignoring white space. A migration that changes a table of the record must
change them too.
"""

RECORD = {
    "sqlite": {
        "eventstore_event": {
            "table": """
                CREATE TABLE "eventstore_event" ("position" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "stream"
                varchar(200) NOT NULL, "version" integer NOT NULL, "type" varchar(100) NOT NULL, "schema_version"
                integer NOT NULL, "data" text NOT NULL CHECK ((JSON_VALID("data") OR "data" IS NULL)), "metadata"
                text NOT NULL CHECK ((JSON_VALID("metadata") OR "metadata" IS NULL)), "command_id" char(32) NOT
                NULL, "recorded_at" datetime NOT NULL, "transaction_id" integer DEFAULT 0 NOT NULL, "hash" BLOB NOT
                NULL, CONSTRAINT "event_stream_version" UNIQUE ("stream", "version"))
            """,
            "trigger eventstore_event_counts_up": """
                CREATE TRIGGER eventstore_event_counts_up AFTER INSERT ON eventstore_event WHEN new.rowid < 1 BEGIN
                SELECT RAISE(ABORT, 'eventstore_event is append-only'); END
            """,
            "trigger eventstore_event_no_delete": """
                CREATE TRIGGER eventstore_event_no_delete BEFORE DELETE ON eventstore_event BEGIN SELECT
                RAISE(ABORT, 'eventstore_event is append-only'); END
            """,
            "trigger eventstore_event_no_gap": """
                CREATE TRIGGER eventstore_event_no_gap BEFORE INSERT ON eventstore_event WHEN new.version <> 1 AND
                NOT EXISTS ( SELECT 1 FROM eventstore_event old WHERE old.stream = new.stream AND old.version =
                new.version - 1 ) BEGIN SELECT RAISE(ABORT, 'eventstore_event leaves no gap'); END
            """,
            "trigger eventstore_event_no_replace": """
                CREATE TRIGGER eventstore_event_no_replace BEFORE INSERT ON eventstore_event WHEN EXISTS (SELECT 1
                FROM eventstore_event old WHERE old.position = new.position OR (old.stream = new.stream AND
                old.version = new.version)) BEGIN SELECT RAISE(ABORT, 'eventstore_event is append-only'); END
            """,
            "trigger eventstore_event_no_update": """
                CREATE TRIGGER eventstore_event_no_update BEFORE UPDATE ON eventstore_event BEGIN SELECT
                RAISE(ABORT, 'eventstore_event is append-only'); END
            """,
        },
        "eventstore_commandrecord": {
            "table": """
                CREATE TABLE "eventstore_commandrecord" ("id" char(32) NOT NULL PRIMARY KEY, "name" varchar(100) NOT
                NULL, "actor" varchar(150) NOT NULL, "received_at" datetime NOT NULL, "outcome" varchar(10) NOT
                NULL, "reason" varchar(100) NOT NULL, "message" varchar(500) NOT NULL, "stream" varchar(200) NOT
                NULL, "version" integer NULL, "position" integer NULL, "event_count" integer NOT NULL, "fingerprint"
                BLOB NOT NULL, "transaction_id" integer DEFAULT 0 NOT NULL, "seal" BLOB NOT NULL, causation
                varchar(220) DEFAULT '' NOT NULL)
            """,
            "trigger eventstore_commandrecord_counts_up": """
                CREATE TRIGGER eventstore_commandrecord_counts_up AFTER INSERT ON eventstore_commandrecord WHEN
                new.rowid < 1 BEGIN SELECT RAISE(ABORT, 'eventstore_commandrecord is append-only'); END
            """,
            "trigger eventstore_commandrecord_no_delete": """
                CREATE TRIGGER eventstore_commandrecord_no_delete BEFORE DELETE ON eventstore_commandrecord BEGIN
                SELECT RAISE(ABORT, 'eventstore_commandrecord is append-only'); END
            """,
            "trigger eventstore_commandrecord_no_replace": """
                CREATE TRIGGER eventstore_commandrecord_no_replace BEFORE INSERT ON eventstore_commandrecord WHEN
                EXISTS (SELECT 1 FROM eventstore_commandrecord old WHERE old.id = new.id OR old.rowid = new.rowid)
                BEGIN SELECT RAISE(ABORT, 'eventstore_commandrecord is append-only'); END
            """,
            "trigger eventstore_commandrecord_no_update": """
                CREATE TRIGGER eventstore_commandrecord_no_update BEFORE UPDATE ON eventstore_commandrecord BEGIN
                SELECT RAISE(ABORT, 'eventstore_commandrecord is append-only'); END
            """,
        },
        "eventstore_epoch": {
            "table": """
                CREATE TABLE "eventstore_epoch" ("number" integer NOT NULL PRIMARY KEY, "shift" integer NOT NULL,
                "began_at" datetime NOT NULL)
            """,
            "trigger eventstore_epoch_counts_up": """
                CREATE TRIGGER eventstore_epoch_counts_up AFTER INSERT ON eventstore_epoch WHEN new.rowid < 1 BEGIN
                SELECT RAISE(ABORT, 'eventstore_epoch is append-only'); END
            """,
            "trigger eventstore_epoch_no_delete": """
                CREATE TRIGGER eventstore_epoch_no_delete BEFORE DELETE ON eventstore_epoch BEGIN SELECT
                RAISE(ABORT, 'eventstore_epoch is append-only'); END
            """,
            "trigger eventstore_epoch_no_replace": """
                CREATE TRIGGER eventstore_epoch_no_replace BEFORE INSERT ON eventstore_epoch WHEN EXISTS (SELECT 1
                FROM eventstore_epoch old WHERE old.number = new.number) BEGIN SELECT RAISE(ABORT, 'eventstore_epoch
                is append-only'); END
            """,
            "trigger eventstore_epoch_no_update": """
                CREATE TRIGGER eventstore_epoch_no_update BEFORE UPDATE ON eventstore_epoch BEGIN SELECT
                RAISE(ABORT, 'eventstore_epoch is append-only'); END
            """,
        },
        "eventstore_snapshot": {
            "table": """
                CREATE TABLE "eventstore_snapshot" ("stream" varchar(200) NOT NULL PRIMARY KEY, "version" integer
                NOT NULL, "state" text NOT NULL CHECK ((JSON_VALID("state") OR "state" IS NULL)), "hash" BLOB NOT
                NULL, "seal" BLOB DEFAULT X'' NOT NULL)
            """,
        },
        "bank_pinverifier": {
            "table": """
                CREATE TABLE "bank_pinverifier" ("account_id" integer NOT NULL PRIMARY KEY, "key_id" varchar(8) NOT
                NULL, "salt" BLOB NOT NULL, "digest" BLOB NOT NULL, "seal" BLOB NOT NULL)
            """,
        },
        "bank_opentill": {
            "table": """
                CREATE TABLE "bank_opentill" ("till_id" integer NOT NULL PRIMARY KEY, "teller" varchar(150) NOT
                NULL, "shift" integer NOT NULL, CONSTRAINT "open_till_of_teller" UNIQUE ("teller"))
            """,
        },
        "bank_recordedcurrency": {
            "table": """
                CREATE TABLE "bank_recordedcurrency" ("id" integer NOT NULL PRIMARY KEY, "code" varchar(3) NOT NULL,
                "decimals" integer NOT NULL, "seal" BLOB NOT NULL)
            """,
            "trigger bank_recordedcurrency_counts_up": """
                CREATE TRIGGER bank_recordedcurrency_counts_up AFTER INSERT ON bank_recordedcurrency WHEN new.rowid < 1
                BEGIN SELECT RAISE(ABORT, 'bank_recordedcurrency is append-only'); END
            """,
            "trigger bank_recordedcurrency_no_delete": """
                CREATE TRIGGER bank_recordedcurrency_no_delete BEFORE DELETE ON bank_recordedcurrency BEGIN SELECT
                RAISE(ABORT, 'bank_recordedcurrency is append-only'); END
            """,
            "trigger bank_recordedcurrency_no_replace": """
                CREATE TRIGGER bank_recordedcurrency_no_replace BEFORE INSERT ON bank_recordedcurrency WHEN EXISTS
                (SELECT 1 FROM bank_recordedcurrency old WHERE old.id = new.id) BEGIN SELECT RAISE(ABORT,
                'bank_recordedcurrency is append-only'); END
            """,
            "trigger bank_recordedcurrency_no_update": """
                CREATE TRIGGER bank_recordedcurrency_no_update BEFORE UPDATE ON bank_recordedcurrency BEGIN SELECT
                RAISE(ABORT, 'bank_recordedcurrency is append-only'); END
            """,
        },
    },
    "postgresql": {
        "eventstore_event": {
            "table": "r p",
            "column command_id": "uuid NOT NULL",
            "column data": "jsonb NOT NULL",
            "column hash": "bytea NOT NULL",
            "column metadata": "jsonb NOT NULL",
            "column position": "bigint NOT NULL IDENTITY d",
            "column recorded_at": "timestamp with time zone NOT NULL",
            "column schema_version": "smallint NOT NULL",
            "column stream": "character varying(200) NOT NULL",
            "column transaction_id": """
                bigint NOT NULL DEFAULT (((pg_current_xact_id())::text)::bigint + eventstore_shift())
            """,
            "column type": "character varying(100) NOT NULL",
            "column version": "bigint NOT NULL",
            "constraint event_stream_version": "UNIQUE (stream, version)",
            "constraint eventstore_event_pkey": """
                PRIMARY KEY ("position")
            """,
            "trigger eventstore_event_append_only": """
                CREATE TRIGGER eventstore_event_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON eventstore_event
                FOR EACH STATEMENT EXECUTE FUNCTION eventstore_event_append_only() AS plpgsql BEGIN RAISE EXCEPTION
                'eventstore_event is append-only' USING ERRCODE = 'restrict_violation'; END
            """,
            "trigger eventstore_event_no_gap": """
                CREATE TRIGGER eventstore_event_no_gap BEFORE INSERT ON eventstore_event FOR EACH ROW WHEN
                (new.version <> 1) EXECUTE FUNCTION eventstore_event_no_gap() AS plpgsql BEGIN IF NOT EXISTS
                (SELECT 1 FROM eventstore_event WHERE stream = NEW.stream AND version = NEW.version - 1) THEN RAISE
                EXCEPTION 'eventstore_event leaves no gap' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW;
                END
            """,
        },
        "eventstore_commandrecord": {
            "table": "r p",
            "column actor": "character varying(150) NOT NULL",
            "column causation": "character varying(220) NOT NULL DEFAULT ''::character varying",
            "column event_count": "integer NOT NULL",
            "column fingerprint": "bytea NOT NULL",
            "column id": "uuid NOT NULL",
            "column message": "character varying(500) NOT NULL",
            "column name": "character varying(100) NOT NULL",
            "column outcome": "character varying(10) NOT NULL",
            "column position": "bigint",
            "column reason": "character varying(100) NOT NULL",
            "column received_at": "timestamp with time zone NOT NULL",
            "column seal": "bytea NOT NULL",
            "column stream": "character varying(200) NOT NULL",
            "column transaction_id": """
                bigint NOT NULL DEFAULT (((pg_current_xact_id())::text)::bigint + eventstore_shift())
            """,
            "column version": "bigint",
            "constraint eventstore_commandrecord_pkey": "PRIMARY KEY (id)",
            "trigger eventstore_commandrecord_append_only": """
                CREATE TRIGGER eventstore_commandrecord_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON
                eventstore_commandrecord FOR EACH STATEMENT EXECUTE FUNCTION eventstore_commandrecord_append_only()
                AS plpgsql BEGIN RAISE EXCEPTION 'eventstore_commandrecord is append-only' USING ERRCODE =
                'restrict_violation'; END
            """,
        },
        "eventstore_epoch": {
            "table": "r p",
            "column began_at": "timestamp with time zone NOT NULL",
            "column number": "integer NOT NULL",
            "column shift": "bigint NOT NULL",
            "constraint eventstore_epoch_pkey": "PRIMARY KEY (number)",
            "trigger eventstore_epoch_append_only": """
                CREATE TRIGGER eventstore_epoch_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON eventstore_epoch
                FOR EACH STATEMENT EXECUTE FUNCTION eventstore_epoch_append_only() AS plpgsql BEGIN RAISE EXCEPTION
                'eventstore_epoch is append-only' USING ERRCODE = 'restrict_violation'; END
            """,
        },
        "eventstore_snapshot": {
            "table": "r p",
            "column hash": "bytea NOT NULL",
            "column seal": r"bytea NOT NULL DEFAULT '\x'::bytea",
            "column state": "jsonb NOT NULL",
            "column stream": "character varying(200) NOT NULL",
            "column version": "bigint NOT NULL",
            "constraint eventstore_snapshot_pkey": "PRIMARY KEY (stream)",
        },
        "bank_pinverifier": {
            "table": "r p",
            "column account_id": "bigint NOT NULL",
            "column digest": "bytea NOT NULL",
            "column key_id": "character varying(8) NOT NULL",
            "column salt": "bytea NOT NULL",
            "column seal": "bytea NOT NULL",
            "constraint bank_pinverifier_pkey": "PRIMARY KEY (account_id)",
        },
        "bank_opentill": {
            "table": "r p",
            "column shift": "bigint NOT NULL",
            "column teller": "character varying(150) NOT NULL",
            "column till_id": "bigint NOT NULL",
            "constraint bank_opentill_pkey": "PRIMARY KEY (till_id)",
            "constraint open_till_of_teller": "UNIQUE (teller)",
        },
        "bank_recordedcurrency": {
            "table": "r p",
            "column code": "character varying(3) NOT NULL",
            "column decimals": "smallint NOT NULL",
            "column id": "smallint NOT NULL",
            "column seal": "bytea NOT NULL",
            "constraint bank_recordedcurrency_pkey": "PRIMARY KEY (id)",
            "trigger bank_recordedcurrency_append_only": """
                CREATE TRIGGER bank_recordedcurrency_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON
                bank_recordedcurrency FOR EACH STATEMENT EXECUTE FUNCTION bank_recordedcurrency_append_only() AS
                plpgsql BEGIN RAISE EXCEPTION 'bank_recordedcurrency is append-only' USING ERRCODE =
                'restrict_violation'; END
            """,
        },
        "functions": {
            "function eventstore_horizon": """
                sql BEGIN ATOMIC SELECT (((pg_snapshot_xmin(pg_current_snapshot()))::text)::bigint +
                eventstore_shift()); END
            """,
            "function eventstore_shift": """
                sql BEGIN ATOMIC SELECT COALESCE(max(shift), (0)::bigint) AS "coalesce" FROM eventstore_epoch; END
            """,
            "setting session_replication_role": "origin",
        },
    },
}
