#!/usr/bin/env bash
# See `usage`.
set -uo pipefail

usage() {
  cat <<'END'
Usage: run-all.sh [OPTION OF k6 run]…

Runs the three load tests one after the other against an API that is already up.

  API_URL=http://localhost:3001 API_KEY=test-api-key PROFILE=quick bash run-all.sh

Settings are environment variables, see README.md; the ones most often set:
  API_URL       http://localhost:3001 if not given
  API_KEY       that of the demo data if not given, as TENANT_ID
  TENANTS       how many tenants share the load, 1 if not given; made by npm run db:seed:demo -- --again --tenants=N
  PROFILE       full (about 18 minutes), quick (about 5, if not given) or smoke (under a minute)
  RESULTS_DIR   an existing folder for the results, instead of loadtests/results
  K6            the k6 to use

Options go to k6, for each of the three: `k6 run --help` lists them.

Exit codes: 0 every target was met; else that of the first k6 that said otherwise: 99 a target was missed, 107 a setting
is wrong, 108 the API does not answer, or refuses the key or the tenant.
END
}
for argument; do
  case $argument in -h | --help) usage; exit 0 ;; esac
done

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
k6=${K6:-$(command -v k6 || echo "${GOPATH:-$HOME/go}/bin/k6")}
if ! [ -x "$k6" ]; then
  echo "k6 is not on the PATH, nor at $k6; loadtests/README.md says how to install it, or set K6 to its path" >&2
  exit 127
fi
# Fewer garbage collections: k6 needs a fifth less CPU, for some 100 MB.
export GOGC=${GOGC:-400}
K6_VERSION=${K6_VERSION:-$("$k6" version | sed -n 's/^k6[^ ]* v\([^ ]*\).*/\1/p' | head -n 1)}
export K6_VERSION

code=0
for scenario in call-state-updates reporting-endpoints redis-pubsub; do
  echo "$(date +%T)  running $scenario (profile ${PROFILE:-quick}) against ${API_URL:-http://localhost:3001}"
  began=$SECONDS
  "$k6" run --quiet "$@" "$here/scenarios/$scenario.ts"
  this=$?
  echo "$(date +%T)  $scenario ended with $this after $((SECONDS - began)) s"
  # Stopped by Ctrl-C: do not go on with the next.
  if [ $this -eq 105 ] || [ $this -ge 128 ]; then exit $this; fi
  if [ $code -eq 0 ]; then code=$this; fi
done
echo "results are in ${RESULTS_DIR:-$here/results}"
exit $code
