#!/bin/sh
# Gives the roles of a running primary the passwords of the Secret, once that has other ones: Kubernetes then writes them
# into the files below $CREDENTIALS. The readiness probe runs this every few seconds; mostly nothing is to be done.
set -eu
umask 077
done="${TMPDIR:-/tmp}/passwords-set"
now=$(cat "$CREDENTIALS"/*-password | sha256sum)
[ "$now" != "$(cat "$done" 2>/dev/null)" ] || exit 0
# Neither the log nor the statistics get these statements.
PGOPTIONS='-c log_statement=none -c log_min_error_statement=panic -c log_min_duration_statement=-1' \
  psql --no-psqlrc --quiet --tuples-only --host="${PGHOST:-/tmp}" --username=postgres --dbname=postgres --set=ON_ERROR_STOP=1 <<'SQL'
set track_activities = off;
set pg_stat_statements.track = none;
\set owner `cat "$CREDENTIALS/owner-password"`
\set replication `cat "$CREDENTIALS/replication-password"`
\set api `cat "$CREDENTIALS/api-password"`
\set monitor `cat "$CREDENTIALS/monitor-password"`
-- Those of the API and of monitoring are there once migrations have made them.
select format('alter role %I password %L', rolname, password)
from pg_roles join (values
  ('postgres', :'owner'), ('hopwhistle_replication', :'replication'),
  ('hopwhistle_api', :'api'), ('hopwhistle_monitor', :'monitor')
) as given (role, password) on role = rolname \gexec
SQL
echo "$now" >"$done"
echo 'set-passwords.sh: the roles have the passwords that the Secret has now' >&2
