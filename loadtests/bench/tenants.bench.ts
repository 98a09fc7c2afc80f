/**
 * What many tenants cost compared with one: each scenario runs on one platform in turns, with the same load from one tenant
 * and spread over many, each with a key of its own. Call events are what authentication, commits and folding are about;
 * reports, the cache; and subscribers, live delivery. `--help` says how to run it.
 */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DEMO_TENANTS_MAX } from '@hopwhistle/contract/demo.ts'
import { BASELINE_SCENARIOS, rateOf, SCENARIO_NAMES, type ScenarioName } from '@hopwhistle/contract/scenarios.ts'
import { EXIT, Usage } from '@hopwhistle/platform/command-line/failure.ts'
import { parseOptions, wholeNumber } from '@hopwhistle/platform/command-line/parse-options.ts'
import { openTerminal } from '@hopwhistle/platform/command-line/terminal.ts'
import { median } from '@hopwhistle/platform/lib/median.ts'
import { freePort } from '@hopwhistle/platform/machine/free-port.ts'
import { measureAlone } from '@hopwhistle/platform/machine/measure-alone.ts'
import { readPlace } from '@hopwhistle/platform/machine/place.ts'
import { besideK6 } from '@hopwhistle/platform/stack/api-instances.ts'
import { runDatabaseCommand } from '@hopwhistle/platform/stack/database-command.ts'
import { startGuard } from '@hopwhistle/platform/stack/guard.ts'
import { makeTempDir } from '@hopwhistle/platform/stack/run-as.ts'
import { readRecord } from '@hopwhistle/platform/stack/stack-record.ts'
import { startStack } from '@hopwhistle/platform/stack/start-stack.ts'
import { stopStack } from '@hopwhistle/platform/stack/stop-stack.ts'
import { findK6 } from '@hopwhistle/platform/tools/find-k6.ts'
import { findRedis } from '@hopwhistle/platform/tools/find-redis.ts'
import type { MetricName } from './evidence/verdict.ts'
import { judge } from './judge/judge.ts'
import { measureScenario } from './run/measure-scenario.ts'
import { readEnvironment } from './run/read-environment.ts'
import { stackTarget } from './run/target.ts'

const HELP = `Usage: node loadtests/bench/tenants.bench.ts [SCENARIO]… [--tenants 1000] [--turns 3] [--seconds 20] [--percent 60]

Starts a platform of its own and measures each scenario in turns: the same load from one tenant and from many. Prints latency,
and its ratio in each pair of turns. Without a SCENARIO: ${BASELINE_SCENARIOS.join(', ')}.

  --tenants N   how many the load is spread over (default 1000)
  --turns N     runs of each side (default 3)
  --seconds N   of each run, at its full rate (default 20)
  --percent N   the rate, in percent of the scenario's target (default 60): what latency is like at the limit of a machine says
                little
  --times N     the most that many tenants may take, in hundredths of what one takes (default 150)
  --wait        wait while another command measures on this machine
  --help        prints this

Ends with 0 when the median of the ratios of p95 is within --times for each scenario, with 1 when it is not, else with 2.
`

/** Some for each tenant: what a report costs does not grow with them, and they are made in a minute. */
const CALLS_OF_TENANT = 20

const say = (line: string) => process.stderr.write(`${line}\n`)

function readOptions(args: readonly string[]) {
  const { values, positionals } = parseOptions(
    args,
    {
      tenants: { type: 'string', default: '1000' },
      turns: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '20' },
      percent: { type: 'string', default: '60' },
      times: { type: 'string', default: '150' },
      wait: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
    { min: 0, max: SCENARIO_NAMES.length },
  )
  if (values.help) return 'help'
  const unknown = positionals.find((name) => !(SCENARIO_NAMES as readonly string[]).includes(name))
  if (unknown !== undefined) throw new Usage(`there is no scenario ${unknown}; there are ${SCENARIO_NAMES.join(', ')}`)
  return {
    scenarios: (positionals.length > 0 ? positionals : BASELINE_SCENARIOS) as readonly ScenarioName[],
    tenants: wholeNumber('--tenants', values.tenants, 2, DEMO_TENANTS_MAX),
    turns: wholeNumber('--turns', values.turns, 1, 100),
    seconds: wholeNumber('--seconds', values.seconds, 1, 3_600),
    percent: wholeNumber('--percent', values.percent, 1, 1_000),
    times: wholeNumber('--times', values.times, 1, 10_000) / 100,
    wait: values.wait,
  }
}
type Options = Exclude<ReturnType<typeof readOptions>, 'help'>

/** Latency in ms, and in percent how much was answered as it must be. */
type Measured = Readonly<Partial<Record<MetricName, number>>>

async function run(options: Options, signal: AbortSignal): Promise<boolean> {
  const terminal = openTerminal()
  const [k6, redisServer, place] = [
    await findK6(terminal, signal),
    await findRedis(terminal, signal),
    await readPlace([]),
  ]
  const scratch = makeTempDir('hopwhistle-tenants-')
  const dir = join(scratch, 'stack')
  const scratchDir = join(scratch, 'k6')
  mkdirSync(scratchDir)
  const guard = startGuard()
  guard.remove(scratch)
  try {
    const details = await startStack({
      dir,
      port: { number: await freePort(), when: 'preferred' },
      host: '127.0.0.1',
      instances: 1,
      apiEnv: besideK6(),
      demoData: false,
      redisServer,
      guard,
      terminal,
      signal,
    })
    // The same calls for both sides: those of the many, of whom the one is the first.
    const args = [`--tenants=${options.tenants}`, `--calls=${CALLS_OF_TENANT * options.tenants}`]
    await runDatabaseCommand('db-seed-demo', { ownerUrl: details.urls.owner, args, signal, onLine: say })
    const target = stackTarget(readRecord(dir)?.processes ?? [], details)
    const environment = readEnvironment(place, target, k6.version)

    async function measure(scenario: ScenarioName, tenants: number, isStep: boolean): Promise<Measured> {
      const rate = String(Math.ceil((rateOf(scenario) * options.percent) / 100))
      const overrides = {
        TENANTS: String(tenants),
        RAMP_SECONDS: '3',
        PEAK_SECONDS: String(options.seconds),
        ...(scenario === 'redis-pubsub' ? { MESSAGES_PER_SECOND: rate } : { RATE: rate }),
      }
      const common = { target, k6, environment, scratchDir, guard, terminal, signal, overrides, isStep }
      const result = await measureScenario({ scenario, profile: 'quick', ...common })
      return Object.fromEntries(
        judge(result).metrics.flatMap(({ name, measured, of }) => (of ? [] : [[name, measured]])),
      )
    }

    let isWithin = true
    for (const scenario of options.scenarios) {
      const [one, many]: [Measured[], Measured[]] = [[], []]
      for (let turn = 0; turn < options.turns; turn++) {
        const sides = [
          [1, one],
          [options.tenants, many],
        ] as const
        // Whoever is first in one turn is last in the next: the machine may grow slower or faster meanwhile.
        for (const [tenants, runs] of turn % 2 === 0 ? sides : sides.toReversed()) {
          const measured = await measure(scenario, tenants, turn > 0)
          runs.push(measured)
          say(`${scenario}, turn ${turn + 1} of ${options.turns}, ${tenants} tenants: ${textOf(measured)}`)
        }
      }
      for (const name of ['p50', 'p95', 'p99'] as const) {
        const ratios = one.flatMap((first, i) => {
          const [a, b] = [first[name], many[i]?.[name]]
          return a === undefined || b === undefined ? [] : [b / a]
        })
        if (ratios.length === 0) continue
        const spread = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`
        process.stdout.write(`${scenario.padEnd(22)} ${name}  × ${median(ratios).toFixed(2)} (${spread})\n`)
        if (name === 'p95' && median(ratios) > options.times) isWithin = false
      }
    }
    return isWithin
  } finally {
    const record = readRecord(dir)
    if (record !== undefined) await stopStack(dir, record)
    terminal.clear()
    guard.off()
    rmSync(scratch, { recursive: true, force: true })
  }
}

const textOf = (measured: Measured) =>
  Object.entries(measured)
    .map(([name, value]) => `${name} ${value?.toFixed(1)}`)
    .join(', ')

try {
  const options = readOptions(process.argv.slice(2))
  if (options === 'help') process.stdout.write(HELP)
  else {
    const ending = new AbortController()
    process.once('SIGINT', () => ending.abort())
    const alone = {
      command: 'tenants.bench.ts',
      wait: options.wait,
      terminal: openTerminal(),
      signal: ending.signal,
    }
    process.exitCode = (await measureAlone(alone, () => run(options, ending.signal))) ? 0 : 1
  }
} catch (error) {
  process.stderr.write(`${error instanceof Usage ? `${error.message}; see --help` : (error as Error).message}\n`)
  process.exitCode = EXIT.failed
}
