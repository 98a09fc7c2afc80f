#!/bin/sh
# Runs before the primary starts, and restores its data if RESTORE_TARGET is set: sh restore.sh
#
# RESTORE_TARGET   a time, or `latest`; empty: nothing is restored
# RESTORE_REPLACE  true: existing data is moved aside; otherwise it stays, and the primary does not start
# REPLICA_HOST     empty: there is no replica
#
# Backup and WAL are restored into a second folder, which is renamed at the end: a failed attempt leaves the existing data.
# A restored folder remembers its target, and is not restored again.
set -eu
umask 077
partial="$PGDATA.partial" has_backups="$PGDATA.has-backups"
refuse() { echo "$*" >&2; exit 1; }
has_data() { [ -s "$PGDATA/PG_VERSION" ]; }
# Files that are no database may be what is left of one.
has_files() { [ -e "$PGDATA" ] && ! rmdir "$PGDATA" 2>/dev/null; }

rm -f "$has_backups"
if [ -z "$RESTORE_TARGET" ]; then
  rm -f "$PGDATA/restored-to"
  has_data && exit 0
  # A lost volume must not silently become an empty database. The replica may have more than the backups:
  # start-primary.sh then waits for a decision.
  info=$(pgbackrest info --output=json)
  case $info in
  *'"code":99'*) refuse "there is no data, and the backups cannot be read: $info" ;;
  *'"label":'*)
    if [ -n "${REPLICA_HOST:-}" ]; then
      touch "$has_backups"
      exit 0
    fi
    refuse 'there is no data, but there are backups of it: set postgres.restore.targetTime to restore them (latest: all of it), or remove the backups to begin anew'
    ;;
  esac
  exit 0
fi

if has_files; then
  [ "$(cat "$PGDATA/restored-to" 2>/dev/null)" != "$RESTORE_TARGET" ] || exit 0
  [ "$RESTORE_REPLACE" = true ] ||
    refuse "$PGDATA has files, which are not overwritten: set postgres.restore.replaceData to move them aside"
fi

case $RESTORE_TARGET in
latest) set -- --type=default ;;
*) set -- --type=time --target="$RESTORE_TARGET" --target-action=promote ;;
esac
echo "restoring to $RESTORE_TARGET"
rm -rf "$partial"
mkdir "$partial"
export PGBACKREST_PG1_PATH="$partial"
pgbackrest "$@" restore
# Replays WAL and exits; fails when the WAL ends before the target. The primary later archives the WAL written here.
postgres --single -D "$partial" -c hot_standby=off -c archive_mode=on -c archive_command= postgres </dev/null >/dev/null
# Otherwise a replica would copy this file, and stop at the target as well.
sed -i '/^recovery_target/d; /^restore_command/d' "$partial/postgresql.auto.conf"
printf %s "$RESTORE_TARGET" >"$partial/restored-to"
if has_files; then
  aside="$PGDATA.replaced-$(date -u +%Y%m%dT%H%M%SZ)"
  mv "$PGDATA" "$aside"
  echo "the data that was there is in $aside"
fi
mv "$partial" "$PGDATA"
echo "restored to $RESTORE_TARGET"
