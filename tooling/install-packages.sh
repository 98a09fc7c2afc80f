#!/bin/sh
# Installs the npm packages of package-lock.json, if they are not what is installed. Safe to run twice.
# Ends with 2 when it cannot: to `make baseline`, 1 means a missed target.
set -eu
cd "$(dirname "$0")/.."

fail() {
  printf '%s\n' "$@" >&2
  exit 2
}

how='Install Node 20 or newer, which brings npm: from https://nodejs.org, or with your package manager (apt install nodejs npm, brew install node).'
command -v node >/dev/null || fail 'Hopwhistle needs Node to install its packages, and there is none.' "$how"
command -v npm >/dev/null || fail "Hopwhistle needs npm to install its packages, and there is none beside $(command -v node)." "$how"
major=$(node -p 'process.versions.node.split(".")[0]')
[ "$major" -ge 20 ] || fail "Node $(node --version) is too old: Hopwhistle needs 20 or newer to install its packages." "$how"

node tooling/packages-are-installed.mjs && exit 0
echo "$(date +%T)  … installing the npm packages (once, until package-lock.json changes)"
npm ci --no-audit --no-fund --loglevel=error || fail 'npm ci failed; see above.'
node tooling/packages-are-installed.mjs || fail 'npm ci ended well, but what it installed is not what package-lock.json says.'
echo "$(date +%T)  ✓ installed the npm packages"
