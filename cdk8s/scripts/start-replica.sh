#!/bin/sh
# Starts the streaming replica: sh start-replica.sh -cOPTION=VALUE…
#
# It copies the primary when it has no data, when its data is another database's (the primary was made anew), or when
# the primary no longer has the WAL that it needs. The copy goes into a folder beside the real one that is renamed when
# it is whole: one that was interrupted is thrown away and made again, and is never taken for a database. While the
# primary is away it starts on what it has.
set -eu
umask 077
export PGUSER=hopwhistle_replication PGPASSWORD="$REPLICATION_PASSWORD" PGCONNECT_TIMEOUT=5
slot=hopwhistle_replica
partial="$PGDATA.partial"

primary() { psql --no-psqlrc --no-password --tuples-only --no-align --host="$PRIMARY_HOST" "$@"; }
ask() { primary --dbname=postgres --command="$1"; }

why_copy() {
  [ -s "$PGDATA/PG_VERSION" ] || { echo 'there is no data yet'; return; }
  theirs=$(primary --dbname='dbname=postgres replication=true' --field-separator=' ' --command=IDENTIFY_SYSTEM) || return 0
  ours=$(pg_controldata -D "$PGDATA" | sed -n 's/^Database system identifier: *//p')
  [ "${theirs%% *}" = "$ours" ] || { echo 'the data is of another database'; return; }
  state=$(ask "select wal_status from pg_replication_slots where slot_name = '$slot'") || return 0
  case $state in
  '') echo 'the primary keeps no WAL for it' ;;
  lost) echo 'the primary no longer has the WAL that it needs' ;;
  esac
}

why=$(why_copy)
if [ -n "$why" ]; then
  until ask 'select 1' >/dev/null; do sleep 1; done
  echo "copying $PRIMARY_HOST: $why"
  rm -rf "$PGDATA" "$partial"
  ask "select pg_drop_replication_slot('$slot') from pg_replication_slots where slot_name = '$slot'" >/dev/null
  ask "select pg_create_physical_replication_slot('$slot', true)" >/dev/null
  pg_basebackup --host="$PRIMARY_HOST" --no-password --pgdata="$partial" --slot=$slot --wal-method=stream \
    --checkpoint=fast
  mv "$partial" "$PGDATA"
fi

# The password stays in the environment and out of the volume; what follows it on the command line is no secret.
rm -f "$PGDATA/postmaster.pid"
touch "$PGDATA/standby.signal"
unset PGUSER
exec postgres -D "$PGDATA" -cprimary_slot_name=$slot \
  -cprimary_conninfo="host=$PRIMARY_HOST user=hopwhistle_replication application_name=$slot connect_timeout=5" "$@"
