import { rmSync } from 'node:fs'
import { DEMO_TENANTS_MAX } from '@hopwhistle/contract/demo.ts'
import { SCENARIO_NAMES } from '@hopwhistle/contract/scenarios.ts'
import type { Command } from '@hopwhistle/platform/command-line/command.ts'
import { Failure, Usage } from '@hopwhistle/platform/command-line/failure.ts'
import { parseOptions, wholeNumber } from '@hopwhistle/platform/command-line/parse-options.ts'
import { measureAlone, WAIT_HELP } from '@hopwhistle/platform/machine/measure-alone.ts'
import { isOnThisMachine } from '@hopwhistle/platform/machine/own-addresses.ts'
import { readPlace } from '@hopwhistle/platform/machine/place.ts'
import { startGuard } from '@hopwhistle/platform/stack/guard.ts'
import { makeTempDir } from '@hopwhistle/platform/stack/run-as.ts'
import { readRecord, stackFolder } from '@hopwhistle/platform/stack/stack-record.ts'
import { findK6 } from '@hopwhistle/platform/tools/find-k6.ts'
import { REMOTE_WRITE_URL } from '../../kubernetes/remote-write.ts'
import { machineText, readFit } from '../machine/fit.ts'
import { checkAccess } from '../run/check-access.ts'
import { measureAll } from '../run/measure-all.ts'
import { readEnvironment } from '../run/read-environment.ts'
import { remoteTarget, stackTarget, type Target } from '../run/target.ts'
import { CLUSTER_ENVIRONMENT_HELP } from './cluster-options.ts'
import {
  NEIGHBOUR_HELP,
  neighboursOf,
  PROFILES_HELP,
  profileOf,
  SCENARIOS_HELP,
  scenariosOf,
} from './measurement-options.ts'
import { printReport, printVerdicts } from './report-results.ts'
import { CLUSTER_HELP, CLUSTER_OPTIONS, refuseClusterOptions, runCluster } from './run-cluster.ts'
import { isScript, OWN_HELP, OWN_OPTIONS, refuseOwnOptions, runOwn } from './run-own.ts'

/** Settings of a scenario besides its profile; passed on unchanged, and checked by the scenario. */
const OVERRIDES = [
  'RATE',
  'VUS',
  'RAMP_SECONDS',
  'PEAK_SECONDS',
  'SUBSCRIBERS',
  'SUBSCRIBER_VUS',
  'PUBLISHER_VUS',
  'MESSAGES_PER_SECOND',
] as const

export const run: Command = {
  summary: 'run scenarios against the platform that is up, or against any API',
  help: `Usage: main.ts run [SCENARIO]… [--profile PROFILE] [--api-url URL] [--results-dir DIR] [--wait]
       main.ts run [SCENARIO]… --cluster [--parallelism N] [--namespace NS] …
       main.ts run SCRIPT [--targets FILE] [--prometheus URL] [--env NAME=VALUE]… [--cluster …] [-- K6 OPTIONS]

Runs scenarios against the platform that \`make up\` started, judges them and writes loadtests/results. It changes neither
baselines nor their document. Scenarios; if none is given, those marked with * run:

${SCENARIOS_HELP}

  --profile PROFILE    quick if not given:
${PROFILES_HELP.replace(/^/gm, '                     ')}
  --api-url URL        measure this API instead; its servers are not sampled
  --neighbour NAME     a program that belongs to this machine and may use its CPU, or any; may be repeated
  --results-dir DIR    instead of loadtests/results
  --wait               if the API is on this machine: ${WAIT_HELP}

An incomplete run (stopped, profile smoke, or reduced by one of the settings below) never replaces a complete result: it
is written to SCENARIO.partial.json.

${NEIGHBOUR_HELP}

${CLUSTER_HELP}

${OWN_HELP}

On a machine that both share, k6 has priority over the platform: the platform that \`make up\` started gets a lower
CPU priority, and keeps it until it is stopped.

Environment:
  API_URL, API_KEY, TENANT_ID   as --api-url; the key and the tenant of the demo data if not given
  TENANTS                       number of tenants that share the load, each with its own key: 1 if not given. To create
                                them: npm run db:seed:demo -- --again --tenants=N
  ${OVERRIDES.join(', ')}
                                replace the values of the profile
  K6                            the k6 to use
  ${REMOTE_WRITE_URL}   k6 also writes its metrics there: a Prometheus with its remote write receiver
${CLUSTER_ENVIRONMENT_HELP}

Exit codes: as of main.ts baseline.
`,
  async run(args, context) {
    const { terminal, signal, print } = context
    const end = args.includes('--') ? args.indexOf('--') : args.length
    const k6Options = args.slice(end + 1)
    const { values, positionals } = parseOptions(
      args.slice(0, end),
      {
        profile: { type: 'string' },
        'api-url': { type: 'string' },
        neighbour: { type: 'string', multiple: true },
        'results-dir': { type: 'string' },
        wait: { type: 'boolean', default: false },
        ...CLUSTER_OPTIONS,
        ...OWN_OPTIONS,
      },
      { min: 0, max: SCENARIO_NAMES.length },
    )
    if (positionals.some(isScript)) {
      if (!values.cluster) refuseClusterOptions(values)
      return runOwn({ scripts: positionals, values, k6Options }, context)
    }
    refuseOwnOptions(values, k6Options)
    const profile = profileOf(values.profile ?? process.env.PROFILE)
    const scenarios = scenariosOf(positionals)
    const apiUrl = checkedUrl(values['api-url'] ?? process.env.API_URL)
    const overrides = Object.fromEntries(
      [...OVERRIDES, 'TENANTS'].flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])),
    )
    if (values.cluster) return runCluster({ values, scenarios, profile, apiUrl, overrides }, context)
    refuseClusterOptions(values)
    const target = targetOf(apiUrl)
    const alone = {
      ...context,
      command: ['main.ts run', ...args].join(' '),
      wait: values.wait,
      provesNothing: profile === 'smoke' || !(await isOnThisMachine(target.apiUrl)),
    }
    return measureAlone(alone, () => measure(target))

    async function measure(target: Target): Promise<number> {
      await checkAccess(target, scenarios)
      const k6 = await findK6(terminal, signal)
      const place = await readPlace(neighboursOf(values.neighbour ?? []))
      const { subscriberVUs } = readFit()
      const fit = { ...(target.apiInstances > 0 ? { apiInstances: target.apiInstances } : {}), subscriberVUs }
      terminal.step(`  ✓ ${'Machine'.padEnd(22)} ${machineText(place.machine, fit)}`)
      const environment = readEnvironment(place, target, k6.version)
      const scratchDir = makeTempDir('hopwhistle-run-')
      const guard = startGuard()
      guard.remove(scratchDir)
      try {
        const results = await measureAll({
          scenarios,
          profile,
          target,
          k6,
          environment,
          scratchDir,
          overrides: { ...overrides, SUBSCRIBER_VUS: String(subscriberVUs) },
          k6Environment: process.env,
          guard,
          terminal,
          signal,
          ...(values['results-dir'] === undefined ? {} : { resultsDir: values['results-dir'] }),
        })
        const exitCode = printVerdicts(results, print, '`make baseline`')
        await printReport(results, print, values['results-dir'])
        return exitCode
      } finally {
        terminal.clear()
        guard.off()
        rmSync(scratchDir, { recursive: true, force: true })
      }
    }
  },
}

/** @throws {Usage} */
function checkedUrl(given: string | undefined): string | undefined {
  const url = given?.replace(/\/+$/, '')
  if (url !== undefined && url !== '' && !/^https?:\/\/[^/]/.test(url)) {
    throw new Usage(`the API's URL is "${url}"; it must begin with http:// or https://`)
  }
  return url
}

function targetOf(url: string | undefined): Target {
  const record = readRecord(stackFolder())
  const tenants = wholeNumber('TENANTS', process.env.TENANTS || '1', 1, DEMO_TENANTS_MAX)
  const access = { apiKey: process.env.API_KEY || undefined, tenantId: process.env.TENANT_ID || undefined, tenants }
  if (record?.details !== undefined && (!url || url === record.details.apiUrl)) {
    return stackTarget(record.processes, record.details, access)
  }
  if (!url) throw new Failure('nothing is up to run against. Start it with `make up`, or give --api-url')
  return remoteTarget(url, access)
}
