#!/bin/sh
# Run once by the image of the primary, after it has made the database: lets the replica in.
set -e

psql -v ON_ERROR_STOP=1 --username postgres --dbname hopwhistle <<'SQL'
\getenv password REPLICATION_PASSWORD
create role hopwhistle_replication login replication password :'password';
SQL
echo 'host replication hopwhistle_replication all scram-sha-256' >>"$PGDATA/pg_hba.conf"
