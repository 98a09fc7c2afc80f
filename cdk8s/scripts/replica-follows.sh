#!/bin/sh
# Checks whether the replica can still follow the primary. It cannot once the primary has removed the WAL that it needs,
# or was restored from a backup, which has no slots. The replica is then restarted, and decides whether to copy the primary
# again. The check passes while the answer is unknown, and when the replica has already refused this primary.
set -eu
ask() {
  PGPASSWORD=$REPLICATION_PASSWORD PGCONNECT_TIMEOUT=3 psql --no-psqlrc --no-password --tuples-only --no-align \
    --field-separator=' ' --host="$PRIMARY_HOST" --port="${PRIMARY_PORT:-5432}" --username=hopwhistle_replication \
    --dbname="$1" --command="$2"
}
found=$(ask 'dbname=postgres replication=true' IDENTIFY_SYSTEM) || exit 0
set -- $found
[ "$(cat "$PGDATA.refused" 2>/dev/null)" != "$1 $2" ] || exit 0
state=$(ask postgres "select wal_status from pg_replication_slots where slot_name = 'hopwhistle_replica'") || exit 0
[ -n "$state" ] && [ "$state" != lost ]
