#!/bin/sh
# Starts the streaming replica: sh start-replica.sh -cOPTION=VALUE…
#
# It copies the primary when it has no data, or when the primary no longer keeps WAL for it. Its data may be the last good
# copy, so it is removed only after the new copy is complete and in place. While the primary is away, it starts with its own
# data. It does the same, follows no primary and says why, when the primary has another database or lacks data that was
# replicated before (it was created again, or restored from an older backup), and when there is no room for both copies.
# The file $PGDATA.replace lets it copy that primary nevertheless, once.
#
# Folders next to $PGDATA, each renamed to the next:
#
#   .partial  an incomplete copy; while it exists, a copy is due
#   .whole    a complete copy, which replaces the current data
#   .old      replaced data, which is deleted
#
# $PGDATA.refused names the primary that it does not follow, for replica-follows.sh.
set -eu
umask 077
export PGUSER=hopwhistle_replication PGPASSWORD="$REPLICATION_PASSWORD" PGCONNECT_TIMEOUT=5
slot=hopwhistle_replica port=${PRIMARY_PORT:-5432}
partial="$PGDATA.partial" whole="$PGDATA.whole" old="$PGDATA.old" replace="$PGDATA.replace" refused="$PGDATA.refused"
# The first process of a container ignores signals that it has no trap for.
trap 'exit 143' TERM INT

say() { echo "start-replica.sh: $*" >&2; }
primary() { psql --no-psqlrc --no-password --tuples-only --no-align --host="$PRIMARY_HOST" --port="$port" "$@"; }
ask() { primary --dbname=postgres --command="$1"; }
identify() { primary --dbname='dbname=postgres replication=true' --field-separator=' ' --command="$1"; }
control() { pg_controldata -D "$PGDATA" | sed -n "s/^$1: *//p"; }
has_data() { [ -s "$PGDATA/PG_VERSION" ]; }

# Continues from any step at which an earlier start ended.
put_in_place() {
  if [ -d "$whole" ]; then
    rm -f "$replace"
    if [ -d "$PGDATA" ]; then
      rm -rf "$old"
      mv "$PGDATA" "$old"
    fi
    mv "$whole" "$PGDATA"
  fi
  if [ -d "$old" ] && has_data; then
    sync "$(dirname "$PGDATA")"
    rm -rf "$old"
  fi
}

# Checks that the primary, at this timeline and position, has all local data. The last local record is read from the WAL,
# because pg_controldata is older. The history of a later timeline says where it left each earlier one.
primary_has_all() { # TIMELINE POSITION
  ours=$(control "Min recovery ending loc's timeline") from=$(control 'Minimum recovery ending location')
  if [ "$ours" = 0 ]; then
    ours=$(control "Latest checkpoint's TimeLineID") from=$(control 'Latest checkpoint location')
  fi
  last=$(pg_waldump --path="$PGDATA/pg_wal" --timeline="$ours" --start="$from" 2>/dev/null |
    sed -n 's/.* lsn: \([0-9A-F/]*\),.*/\1/p' | tail -n 1)
  shared=$2
  if [ "$1" != "$ours" ]; then
    shared=$(identify "TIMELINE_HISTORY $1" | sed 's/^.*\.history //' |
      sed -n "s/^$ours[[:space:]]*\([0-9A-F/]*\).*/\1/p")
    [ -n "$shared" ] || return 1
  fi
  # `from` is the end of a record, `last` the start of one.
  [ "$(ask "select '$shared' >= '$from'::pg_lsn and '$shared' > '${last:-0/0}'::pg_lsn")" = t ]
}

has_room() {
  needed=$(ask 'select (sum(pg_database_size(oid)) * 1.1 / 1024)::bigint + 65536 from pg_database')
  free=$(df -Pk "$(dirname "$PGDATA")" | awk 'END { print $4 }')
  [ "$free" -ge "$needed" ]
}

# The primary admits clients once a replica without data has created its slot; from then on it has this database.
wait_for_primary() {
  until [ "$(ask "select 1 from pg_database where datname = 'hopwhistle'")" = 1 ]; do
    ask "select pg_create_physical_replication_slot('$slot')" >/dev/null 2>&1 || true
    sleep 1
  done
}

copy() { # WHY
  say "copying $PRIMARY_HOST: $1"
  wait_for_primary
  rm -rf "$partial"
  mkdir -p "$partial"
  ask "select pg_drop_replication_slot('$slot') from pg_replication_slots where slot_name = '$slot'" >/dev/null
  ask "select pg_create_physical_replication_slot('$slot', true)" >/dev/null
  pg_basebackup --host="$PRIMARY_HOST" --port="$port" --no-password --pgdata="$partial" --slot=$slot \
    --wal-method=stream --checkpoint=fast
  mv "$partial" "$whole"
  put_in_place
}

refuse() { # WHY WHAT_TO_DO
  say "refused to follow $PRIMARY_HOST, and starts on the data that it has: $1. $2"
  echo "$primary_is" >"$refused"
}
if [ -n "${KUBERNETES_SERVICE_HOST:-}" ]; then
  to_replace="If its data is to replace what is here:  kubectl exec ${HOSTNAME:-POD} -- touch $replace  and delete the pod."
else
  to_replace="If its data is to replace what is here:  docker compose exec replica touch $replace  and restart it."
fi

# With data: copies if needed and allowed. The replica starts in any case.
copy_if_due() {
  # SYSTEM TIMELINE POSITION; without an answer, nothing is done.
  found=$(identify IDENTIFY_SYSTEM) || return 0
  state=$(ask "select wal_status from pg_replication_slots where slot_name = '$slot'") || return 0
  set -- $found
  primary_is="$1 $2" why='' danger=''
  if [ "$1" != "$(control 'Database system identifier')" ]; then
    why='it has another database' danger=yes
  else
    case $state in
    '') why='it keeps no WAL for this replica' ;;
    lost) why='it no longer has the WAL that this replica needs' ;;
    *) [ ! -d "$partial" ] || why='a copy was interrupted' ;;
    esac
    primary_has_all "$2" "$3" || { why="${why:+$why, and }it lacks what was replicated before" danger=yes; }
  fi
  [ -n "$why" ] || return 0
  if [ -n "$danger" ] && [ ! -e "$replace" ]; then
    refuse "$why" "$to_replace"
    return 0
  fi
  rm -rf "$partial"
  mkdir "$partial"
  if ! has_room; then
    refuse "$why; there is no room for a copy beside it: ${needed} KiB are needed, ${free} are free" \
      'Enlarge the volume, or delete its claim and the pod; then the data that it has is gone before the copy is there.'
    return 0
  fi
  copy "$why"
}

put_in_place
rm -f "$refused"
if has_data; then
  copy_if_due
else
  if [ -e "$PGDATA" ] && ! rmdir "$PGDATA"; then
    say "$PGDATA has files and is no database. Look at them, and move them away."
    exit 1
  fi
  mkdir -p "$(dirname "$PGDATA")"
  copy 'there is no data yet'
fi

# The password stays in the environment, not in the volume; the other settings on the command line are not secret.
source="host=$PRIMARY_HOST port=$port user=hopwhistle_replication application_name=$slot connect_timeout=5"
[ ! -e "$refused" ] || source=
rm -f "$PGDATA/postmaster.pid"
touch "$PGDATA/standby.signal"
unset PGUSER
exec postgres -D "$PGDATA" -cprimary_slot_name=$slot -cprimary_conninfo="$source" "$@"
