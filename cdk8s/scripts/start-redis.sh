#!/bin/sh
# Starts Redis: sh start-redis.sh --OPTION VALUE…  The password comes by a file, never by an argument.
set -eu
umask 077
printf 'requirepass "%s"\n' "$REDIS_PASSWORD" >/tmp/redis.conf
exec redis-server /tmp/redis.conf "$@"
