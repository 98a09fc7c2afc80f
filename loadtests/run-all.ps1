# Runs the three load tests one after the other against an API that is already up.
#
#   $env:API_URL = 'http://localhost:3001'; $env:API_KEY = 'test-api-key'; .\run-all.ps1
#
# Settings are environment variables, see README.md. Arguments go to k6. Exits with 0 when every target was met, and
# else with the exit code of the first k6 that said otherwise (99: a target was missed).
$ErrorActionPreference = 'Stop'

$k6 = if ($env:K6) { $env:K6 } else { (Get-Command k6 -ErrorAction SilentlyContinue).Source }
if (-not $k6) {
  Write-Error -ErrorAction Continue 'k6 is not on the PATH; loadtests/README.md says how to install it, or set K6 to its path'
  exit 127
}
# Fewer garbage collections: k6 needs a fifth less CPU, for some 100 MB.
if (-not $env:GOGC) { $env:GOGC = '400' }
if (-not $env:K6_VERSION -and ((& $k6 version | Select-Object -First 1) -match 'v(\d\S*)')) { $env:K6_VERSION = $Matches[1] }
$profileName = if ($env:PROFILE) { $env:PROFILE } else { 'quick' }
$url = if ($env:API_URL) { $env:API_URL } else { 'http://localhost:3001' }

$code = 0
foreach ($scenario in 'call-state-updates', 'reporting-endpoints', 'redis-pubsub') {
  Write-Host "running $scenario (profile $profileName) against $url"
  & $k6 run --quiet @args (Join-Path $PSScriptRoot "scenarios/$scenario.ts")
  $exitCode = $LASTEXITCODE
  # Stopped by Ctrl-C: do not go on with the next.
  if ($exitCode -eq 105) { exit $exitCode }
  if ($code -eq 0) { $code = $exitCode }
}
$results = if ($env:RESULTS_DIR) { $env:RESULTS_DIR } else { Join-Path $PSScriptRoot 'results' }
Write-Host "results are in $results"
exit $code
