#!/bin/sh
# Starts Redis: sh start-redis.sh --OPTION VALUE…  The password is passed in a file, never as an argument.
set -eu
umask 077
printf 'requirepass "%s"\n' "$REDIS_PASSWORD" >/tmp/redis.conf
exec redis-server /tmp/redis.conf "$@"
