-- A role for the web processes that may add to the record and can change nothing of it.
--
-- The owner of the tables, under whom `manage.py migrate` and `manage.py run_projections` run, executes this once both
-- databases are migrated, and again after an upgrade that says so:
--
--     psql "$DATABASE_URL" -v projections="$PROJECTIONS_DATABASE_URL" -v ON_ERROR_STOP=1 -f docs/web-role.sql
--
-- It may be executed any number of times. The web processes then run with PROJECTION_MODE=worker, as bank_web in both
-- URLs; the workers, and whoever migrates or replays, stay with the owner. Making a role takes CREATEROLE, so where the
-- owner has not got it, somebody else makes bank_web first: CREATE ROLE bank_web LOGIN. It needs a password
-- (\password bank_web) or whatever else pg_hba.conf asks of it.

SELECT 'CREATE ROLE bank_web LOGIN' WHERE to_regrole('bank_web') IS NULL \gexec

-- The write side

BEGIN;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM bank_web;
GRANT USAGE ON SCHEMA public TO bank_web;
-- The record: it is read and added to. Positions come from an identity column, which needs no right of its own.
GRANT SELECT, INSERT ON eventstore_event, eventstore_commandrecord, bank_recordedcurrency TO bank_web;
-- After a restore the first process that connects says that transaction ids go on from there.
GRANT SELECT, INSERT ON eventstore_epoch TO bank_web;
-- A cache, and what proves a PIN; both are replaced in time.
GRANT SELECT, INSERT, UPDATE, DELETE ON eventstore_snapshot TO bank_web;
GRANT SELECT, INSERT, UPDATE ON bank_pinverifier TO bank_web;
-- Which teller has which till now.
GRANT SELECT, INSERT, DELETE ON bank_opentill TO bank_web;
-- How far process managers have come. Those who work on it run as the owner.
GRANT SELECT ON eventstore_subscription TO bank_web;
-- Who works here: logging in, and the users' pages of the admin.
GRANT SELECT, INSERT, UPDATE, DELETE ON
    auth_user, auth_group, auth_user_groups, auth_user_user_permissions, auth_group_permissions, django_session,
    bank_logintries, bank_usedcode, otp_totp_totpdevice
TO bank_web;
GRANT SELECT, INSERT ON django_admin_log TO bank_web;
-- What the application asks about itself.
GRANT SELECT ON auth_permission, django_content_type, django_migrations TO bank_web;
COMMIT;

-- The read side: it is only read. A replay puts new tables into the old ones' places, hence the default.

\connect :"projections"
SELECT 'CREATE ROLE bank_web LOGIN' WHERE to_regrole('bank_web') IS NULL \gexec
BEGIN;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO bank_web;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO bank_web;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO bank_web;
COMMIT;
