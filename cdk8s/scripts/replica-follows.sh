#!/bin/sh
# Whether the replica can still follow the primary. It cannot once the primary has let go of the WAL that it needs, or
# was restored from a backup, which has no slots; started again, it copies the primary anew. While nobody can tell, it is
# left alone.
set -eu
state=$(PGPASSWORD=$REPLICATION_PASSWORD PGCONNECT_TIMEOUT=3 psql --no-psqlrc --no-password --tuples-only --no-align \
  --host="$PRIMARY_HOST" --username=hopwhistle_replication --dbname=postgres \
  --command="select wal_status from pg_replication_slots where slot_name = 'hopwhistle_replica'") || exit 0
[ -n "$state" ] && [ "$state" != lost ]
