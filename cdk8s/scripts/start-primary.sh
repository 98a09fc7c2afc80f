#!/bin/sh
# Starts the primary: sh start-primary.sh -cOPTION=VALUE…
#
# The first time it makes the database, in a folder beside the real one that is renamed when it is whole: one that was
# interrupted is thrown away and made again. Each time it gives the roles the passwords that the Secret has now.
set -eu
umask 077

as_single_user() { # PGDATA DATABASE, SQL on stdin: statements end with a semicolon and an empty line
  postgres --single -j -D "$1" -c log_statement=none -c log_min_error_statement=panic "$2" >/dev/null
}
literal() { printf "'%s'" "$(printf %s "$1" | sed "s/'/''/g")"; }

partial="$PGDATA.partial"
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  echo 'making the database'
  rm -rf "$PGDATA" "$partial"
  initdb --pgdata="$partial" --username=postgres --auth=reject --encoding=UTF8 --locale=C --data-checksums >/dev/null
  echo 'create database hopwhistle;' | as_single_user "$partial" postgres
  as_single_user "$partial" postgres <<'SQL'
create role hopwhistle_replication login replication;

SQL
  mv "$partial" "$PGDATA"
fi

# The remains of a server that was killed: nobody else can have this volume.
rm -f "$PGDATA/postmaster.pid"
as_single_user "$PGDATA" postgres <<SQL
alter role postgres password $(literal "$OWNER_PASSWORD");

alter role hopwhistle_replication password $(literal "$REPLICATION_PASSWORD");

SQL
unset OWNER_PASSWORD REPLICATION_PASSWORD
exec postgres -D "$PGDATA" "$@"
