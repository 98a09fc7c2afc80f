/** `npm run chaos`: see HELP. */
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { LIMITS } from '../contract/limits.ts'
import { EXIT, Failure, Usage } from '../loadtests/bench/lib/failure.ts'
import { wholeNumber } from '../loadtests/bench/lib/parse-options.ts'
import { openTerminal } from '../loadtests/bench/lib/terminal.ts'
import { descendantsOf } from '../loadtests/bench/sample/process-group.ts'
import { CHECKOUT, readRecord } from '../loadtests/bench/stack/stack-record.ts'
import { FAULTS, type Victims } from './faults/faults.ts'
import { renderReliability } from './faults/render-reliability.ts'
import { type FaultResult, problemsOf, runFault } from './faults/run-fault.ts'
import { withPlatform } from './with-platform.ts'

const PER_SECOND = 500
const DOCUMENT = join(CHECKOUT, 'docs', 'reliability.md')

const HELP = `Usage: npm run chaos [-- --rate N] [--fault NAME]… [--no-document]

Starts a platform of its own, sends it call events without a pause, and does to it, one after the other:

${FAULTS.map(({ name, title }) => `  ${name.padEnd(16)} ${title}`).join('\n')}

After each, every acknowledged event has to be in Postgres. Writes docs/reliability.md. Takes about two minutes.

  --rate N         events a second; ${PER_SECOND} if not given
  --fault NAME     only this one; may be repeated
  --no-document    leaves docs/reliability.md as it is; so does --fault

Exit codes: 0 everything held, 1 something did not, 2 it could not be done.
`

const terminal = openTerminal()
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => stop.abort(new Failure('stopped before the end')))
}

process.exitCode = await main().catch((thrown: unknown) => {
  terminal.clear()
  const error = stop.signal.aborted ? stop.signal.reason : thrown
  const isKnown = error instanceof Failure || error instanceof Usage
  const text = isKnown ? error.message : ((error as Error).stack ?? String(error))
  process.stderr.write(error instanceof Usage ? `${text}\n\n${HELP}` : `${text}\n`)
  return EXIT.failed
})

async function main(): Promise<number> {
  const { perSecond, names, writes, help } = options()
  if (help) {
    process.stdout.write(HELP)
    return EXIT.ok
  }
  const faults = FAULTS.filter(({ name }) => names.length === 0 || names.includes(name))
  const apiEnv = { [LIMITS.tenant_rate.env]: '1000000' }
  const results = await withPlatform(
    { instances: 3, apiEnv, terminal, signal: stop.signal },
    async (platform): Promise<readonly FaultResult[]> => {
      const victims = victimsOf(platform.dir)
      const done: FaultResult[] = []
      for (const fault of faults) {
        stop.signal.throwIfAborted()
        terminal.show(`  … ${fault.title}`)
        const result = await runFault(fault, victims, platform, { name: `${fault.name}-${Date.now()}`, perSecond })
        terminal.clear()
        process.stdout.write(`${lineOf(result)}\n`)
        done.push(result)
      }
      return done
    },
  )
  if (writes) {
    const machine = `${cpus().length} cores (${cpus()[0]?.model.trim() ?? 'of unknown kind'})`
    writeFileSync(DOCUMENT, renderReliability({ measuredAt: new Date().toISOString(), machine, perSecond, results }))
    process.stdout.write('Wrote docs/reliability.md.\n')
  }
  return results.every((result) => problemsOf(result).length === 0) ? EXIT.ok : 1
}

function victimsOf(dir: string): Victims {
  const processes = readRecord(dir)?.processes ?? []
  const pid = (name: string): number => {
    const found = processes.find((one) => one.name === name)
    if (found === undefined) throw new Failure(`there is no ${name} among what was started`)
    return found.pid
  }
  const all = (name: string) => () => descendantsOf(pid(name))
  return {
    api: ['api-1', 'api-2', 'api-3'].map(pid),
    primary: all('postgres primary'),
    replica: all('postgres replica'),
    redis: pid('redis'),
  }
}

function lineOf(result: FaultResult): string {
  const problems = problemsOf(result)
  const refused = Object.values(result.refusals).reduce((sum, count) => sum + count, 0)
  const figures =
    `${result.sent} events, ${refused} not taken at first, slowest ${(result.slowestMs / 1000).toFixed(1)} s, ` +
    `recovered after ${(result.recoveredAfterMs / 1000).toFixed(1)} s, ${result.lost.length} lost`
  return `  ${problems.length === 0 ? '✓' : '✗'} ${result.title}: ${figures}${problems.map((one) => `\n      ${one}`).join('')}`
}

function options() {
  try {
    const { values } = parseArgs({
      options: {
        rate: { type: 'string' },
        fault: { type: 'string', multiple: true },
        'no-document': { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    })
    const names = values.fault ?? []
    const unknown = names.find((name) => !FAULTS.some((fault) => fault.name === name))
    if (unknown !== undefined) {
      throw new Error(`--fault is "${unknown}"; it may be ${FAULTS.map(({ name }) => name).join(', ')}`)
    }
    return {
      perSecond: wholeNumber('--rate', values.rate ?? String(PER_SECOND), 1, 10_000),
      names,
      writes: names.length === 0 && values['no-document'] !== true,
      help: values.help ?? false,
    }
  } catch (error) {
    throw new Usage((error as Error).message)
  }
}
