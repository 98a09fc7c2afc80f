#!/bin/sh
# Starts a streaming replica of $PRIMARY_HOST: sh start-replica.sh postgres -cOPTION=VALUE…
#
# The first time it copies the primary, into a folder beside the real one that is renamed when the copy is whole. A
# copy that was interrupted is therefore thrown away and made again, and is never taken for a database.
set -eu

partial="$PGDATA.partial"
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  mkdir -p "$(dirname "$PGDATA")"
  rm -rf "$PGDATA" "$partial"
  echo "copying $PRIMARY_HOST"
  PGPASSWORD=$REPLICATION_PASSWORD pg_basebackup --host="$PRIMARY_HOST" --port="${PRIMARY_PORT:-5432}" \
    --username=hopwhistle_replication --no-password --pgdata="$partial" --slot=hopwhistle_replica \
    --wal-method=stream --checkpoint=fast --write-recovery-conf
  mv "$partial" "$PGDATA"
fi
exec "$@"
