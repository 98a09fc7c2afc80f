#!/bin/sh
# Starts the primary: sh start-primary.sh -cOPTION=VALUE…
#
#   empty ──initdb──▶ new ──the replica has no data──────────▶ primary
#                      └──told to──▶ standby of the replica ──▶ primary
#
# An empty volume means a first installation, or a lost database. Only the replica's volume shows which. So a new database
# admits only the replica, until that creates its slot, which it does when it has no data. While the replica has data, or
# is away and may have data, the primary waits and says so. Two files tell it how to continue:
#
#   $PGDATA.copy-replica   copies all data of the replica, on a new timeline
#   $PGDATA.new-database   starts empty; the replica keeps its data until it is told otherwise
#
# Without a replica ($REPLICA_HOST is empty) it starts at once. If restore.sh created $PGDATA.has-backups, it waits also
# when the replica has no data, because the backups have some.
#
# The database is created in a second folder, which is renamed when it is complete: an interrupted attempt is deleted and
# repeated. Each start sets the passwords of the roles from the current Secret.
set -eu
umask 077
export PGPASSWORD="$REPLICATION_PASSWORD" PGCONNECT_TIMEOUT=5
partial="$PGDATA.partial" copy_replica="$PGDATA.copy-replica" new_database="$PGDATA.new-database"
has_backups="$PGDATA.has-backups"
beside=
in_here='docker compose exec primary'
[ -z "${KUBERNETES_SERVICE_HOST:-}" ] || in_here="kubectl exec ${HOSTNAME:-POD} --"

say() { echo "start-primary.sh: $*" >&2; }
literal() { printf "'%s'" "$(printf %s "$1" | sed "s/'/''/g")"; }

as_single_user() { # FOLDER DATABASE, SQL on stdin: statements end with a semicolon and an empty line
  postgres --single -j -D "$1" -c log_statement=none -c log_min_error_statement=panic "$2" >/dev/null
}

passwords() {
  cat <<SQL
alter role postgres password $(literal "$OWNER_PASSWORD");

alter role hopwhistle_replication password $(literal "$REPLICATION_PASSWORD");

SQL
}

ask() { # HOST PORT SQL, as the replica would
  psql --no-psqlrc --no-password --tuples-only --no-align --username=hopwhistle_replication --dbname=postgres \
    --host="$1" --port="$2" --command="$3"
}
ask_beside() { ask 127.0.0.1 "${PGPORT:-5432}" "$1"; }
ask_replica() { ask "$REPLICA_HOST" "${REPLICA_PORT:-5432}" "$1"; }

run_beside() { # -cOPTION=VALUE…: a server that only the replication role reaches
  echo 'host postgres,replication hopwhistle_replication all scram-sha-256' >"$partial/pg_hba.conf"
  postgres -D "$partial" "$@" "-chba_file=$partial/pg_hba.conf" &
  beside=$!
  until ask_beside 'select 1' >/dev/null 2>&1; do
    kill -0 $beside # or else it has ended, and said why
    sleep 0.2
  done
}

stop_beside() {
  [ -n "$beside" ] || return 0
  pg_ctl stop -D "$partial" --mode=fast --silent
  beside=
}
# The first process of a container ignores signals that it has no trap for.
trap 'stop_beside; exit 143' TERM INT

make_database() {
  say 'making a database'
  rm -rf "$partial"
  initdb --pgdata="$partial" --username=postgres --auth=reject --encoding=UTF8 --locale=C --data-checksums >/dev/null
  { printf 'create role hopwhistle_replication login replication;\n\n' && passwords; } | as_single_user "$partial" postgres
}

why_it_waits() {
  if pg_isready --quiet --host="$REPLICA_HOST" --port="${REPLICA_PORT:-5432}"; then
    say "refused to begin: this volume is empty, and the replica $REPLICA_HOST has data."
  else
    say "waiting: this volume is empty, and the replica $REPLICA_HOST, which may have data, does not answer."
  fi
  [ ! -e "$has_backups" ] || say 'There are backups. To restore them: set postgres.restore.targetTime (latest: all of it).'
  say "To take over all that the replica has:  $in_here touch $copy_replica"
  say "To begin empty all the same:            $in_here touch $new_database"
}

# Returns once the new database may become the primary; until then no client can write to it.
wait_for_replica() {
  [ -n "${REPLICA_HOST:-}" ] && [ ! -e "$new_database" ] || return 0
  # Clients that retry would fill the log.
  run_beside "$@" -clog_min_messages=panic
  waited=0
  until [ -e "$copy_replica" ] || [ -e "$new_database" ] ||
    { [ ! -e "$has_backups" ] &&
      [ "$(ask_beside "select 1 from pg_replication_slots where slot_name = 'hopwhistle_replica'")" = 1 ]; }; do
    # At a first installation, the replica needs some seconds.
    [ $((waited % 60)) -ne 5 ] || why_it_waits
    waited=$((waited + 1))
    sleep 1
  done
  stop_beside
}

# A copy of a standby may lack the end of its WAL, so the copy streams from it until it has that, too.
take_over() {
  say "copying the replica $REPLICA_HOST"
  rm -rf "$partial"
  until ask_replica 'select 1' >/dev/null; do sleep 1; done
  login="host=$REPLICA_HOST port=${REPLICA_PORT:-5432} user=hopwhistle_replication"
  pg_basebackup --dbname="$login" --no-password --pgdata="$partial" --wal-method=stream --checkpoint=fast
  touch "$partial/standby.signal"
  position='greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())'
  end=$(ask_replica "select $position")
  # Only local: it will be on another timeline.
  run_beside "$@" -clisten_addresses=127.0.0.1 "-cprimary_conninfo=$login"
  until [ "$(ask_beside "select $position >= '$end'")" = t ]; do sleep 0.2; done
  pg_ctl promote -D "$partial" --silent
  stop_beside
  say "took over what the replica has, to $end"
}

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  if [ -e "$PGDATA" ] && ! rmdir "$PGDATA"; then
    say "$PGDATA has files and is no database. Look at them, and move them away."
    exit 1
  fi
  [ -e "$copy_replica" ] || { make_database && wait_for_replica "$@"; }
  if [ -e "$copy_replica" ]; then
    take_over "$@"
  else
    # The replica copies a primary only once it has this database.
    echo 'create database hopwhistle;' | as_single_user "$partial" postgres
  fi
  mv "$partial" "$PGDATA"
fi
rm -f "$copy_replica" "$new_database" "$has_backups"

# Left by a killed server: no other server can use this volume.
rm -f "$PGDATA/postmaster.pid"
passwords | as_single_user "$PGDATA" postgres
unset OWNER_PASSWORD REPLICATION_PASSWORD PGPASSWORD PGCONNECT_TIMEOUT
exec postgres -D "$PGDATA" "$@"
