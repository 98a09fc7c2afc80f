#!/bin/sh
# Run once by the image of the primary, after it has made the database: lets the replica in, and keeps for it what it
# has not yet read.
set -e

psql -v ON_ERROR_STOP=1 --username postgres --dbname hopwhistle <<'SQL'
\getenv password REPLICATION_PASSWORD
create role hopwhistle_replication login replication password :'password';
select pg_create_physical_replication_slot('hopwhistle_replica');
SQL
echo 'host replication hopwhistle_replication all scram-sha-256' >>"$PGDATA/pg_hba.conf"
