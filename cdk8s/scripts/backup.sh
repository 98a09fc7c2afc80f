#!/bin/sh
# Backs the primary up with pgBackRest: sh backup.sh [--first]
#
# Takes a full backup when the newest full one is FULL_EVERY_DAYS old, otherwise one of the changes since then. With
# --first, only when there is none. Then stores the end time of the newest in the database, for the Prometheus exporter.
set -eu

of_backups() { # psql OPTION…, SQL on stdin, which reads backups
  {
    echo '\set info `pgbackrest info --output=json`'
    echo "create temporary view backups as select backup->>'type' as type,"
    echo "to_timestamp((backup #>> '{timestamp,stop}')::bigint) as ended"
    echo "from jsonb_path_query(:'info', '\$[*].backup[*]') as backup;"
    cat
  } | psql --no-psqlrc --no-password --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 --dbname=hopwhistle "$@"
}

until pg_isready --quiet; do sleep 1; done
# Safe to repeat. Refuses a repository with the backups of another database.
pgbackrest stanza-create
type=$(of_backups --set=days="$FULL_EVERY_DAYS" <<'SQL'
select case when max(ended) filter (where type = 'full') > now() - make_interval(days => :'days') then 'diff' else 'full' end
from backups
SQL
)
if [ "${1:-}" != --first ] || [ "$type" = full ]; then
  pgbackrest --type="$type" backup
fi
of_backups <<'SQL'
select format('alter database hopwhistle set hopwhistle.last_backup = %L', max(ended)) from backups having count(*) > 0 \gexec
SQL
