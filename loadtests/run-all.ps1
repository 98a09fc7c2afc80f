# See $usage.
$ErrorActionPreference = 'Stop'

$usage = @'
Usage: run-all.ps1 [OPTION OF k6 run]...

Runs the three load tests one after the other against an API that is already up.

  $env:API_URL = 'http://localhost:3001'; $env:API_KEY = 'test-api-key'; .\run-all.ps1

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
'@
if ($args | Where-Object { $_ -in '-h', '--help', '-?' }) {
  Write-Output $usage
  exit 0
}

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
  $began = Get-Date
  Write-Host "$($began.ToString('HH:mm:ss'))  running $scenario (profile $profileName) against $url"
  & $k6 run --quiet @args (Join-Path $PSScriptRoot "scenarios/$scenario.ts")
  $exitCode = $LASTEXITCODE
  $ended = Get-Date
  Write-Host "$($ended.ToString('HH:mm:ss'))  $scenario ended with $exitCode after $([int]($ended - $began).TotalSeconds) s"
  # Stopped by Ctrl-C: do not go on with the next.
  if ($exitCode -eq 105) { exit $exitCode }
  if ($code -eq 0) { $code = $exitCode }
}
$results = if ($env:RESULTS_DIR) { $env:RESULTS_DIR } else { Join-Path $PSScriptRoot 'results' }
Write-Host "results are in $results"
exit $code
