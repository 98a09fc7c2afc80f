/** `npm run chaos`: see HELP. */
import { mkdirSync } from 'node:fs'
import { relative } from 'node:path'
import { parseArgs } from 'node:util'
import { seededRandom } from '../contract/traffic/report-queries.ts'
import { EXIT, Failure, Usage } from '../platform/command-line/failure.ts'
import { wholeNumber } from '../platform/command-line/parse-options.ts'
import type { Terminal } from '../platform/command-line/terminal.ts'
import { measureAlone, WAIT_HELP } from '../platform/machine/measure-alone.ts'
import { onPath } from '../platform/machine/run-program.ts'
import { findRedis } from '../platform/tools/find-redis.ts'
import { runCommand } from './command.ts'
import type { Fault } from './faults/fault.ts'
import { FAULTS } from './faults/faults.ts'
import { networkFaults } from './faults/network.ts'
import { problemsOf } from './faults/problems-of.ts'
import { runFaults } from './faults/run-faults.ts'
import {
  type Measured,
  type MeasuredOverload,
  type Now,
  type Place,
  placeIn,
  recordMeasured,
  writeDocument,
} from './measured.ts'
import { abuses } from './overload/abuse.ts'
import type { Experiment } from './overload/experiment.ts'
import { flood } from './overload/flood.ts'
import { runOverload } from './overload/run-overload.ts'
import { tenTimes } from './overload/ten-times.ts'
import { inNewNetwork, inOwnNetwork, missingForOwnNetwork } from './rig/own-network.ts'
import { soakPlatform } from './soak/soak-platform.ts'

const PER_SECOND = 500
const EXPERIMENTS = [tenTimes, flood, ...abuses]
const SOAK = { name: 'soak', title: 'The load without faults, for a long time (only with --soak-minutes)' }
const ALL: readonly { readonly name: string; readonly title: string }[] = [...FAULTS, ...EXPERIMENTS, SOAK]

const HELP = `Usage: npm run chaos [-- --rate N] [--only NAME]… [--seed N] [--soak-minutes N] [--into FOLDER] [--wait]

Starts a platform of its own and sends it call events without a pause, while reports are read and subscribers follow.
Meanwhile it causes these faults, one after the other:

${ALL.map(({ name, title }) => `  ${name.padEnd(18)} ${title}`).join('\n')}

After each fault, every acknowledged event must be in Postgres, once; rollups must equal the calls; and each subscriber must
have got each message once and in order, or been notified of a gap. Overload and abuse must not keep other clients waiting.
Network faults need root on Linux and iptables, to lose packets in a network of their own; elsewhere a proxy delays the data
instead. Writes docs/reliability.md. Takes about twelve minutes. On Ctrl-C it ends the current fault, keeps what was measured and says
what is missing; on a second Ctrl-C it stops at once.

  --rate N         events a second; ${PER_SECOND} if not given
  --only NAME      only this fault; may be repeated. The document keeps the earlier results of the others
  --seed N         repeats order, moments and losses of an earlier run; random if not given, and printed
  --soak-minutes N  ends with this many minutes of load without faults; only these, with --only soak. None if not given
  --into FOLDER    writes results, document and chart there, and changes no file of the repository
  --no-document    writes none of them
  --wait           ${WAIT_HELP}

Exit codes: 0 every fault was survived, 1 one was not, 2 the run could not start, or did not finish.
`

type Options = {
  readonly perSecond: number
  readonly seed: number
  readonly faults: readonly Fault[]
  readonly experiments: readonly Experiment[]
  readonly soakMinutes: number
  /** Absent: nothing is written. */
  readonly place: Place | undefined
  readonly wait: boolean
}

await runCommand<Options>({ help: HELP, options, main })

/** Replaces this process by the same command in a network of its own. Installs Redis first, because there is no internet inside. */
async function startInOwnNetwork(terminal: Terminal, signal: AbortSignal): Promise<never> {
  await findRedis(terminal, signal)
  const { command, args, env } = inNewNetwork(process.execPath, [...process.execArgv, ...process.argv.slice(1)])
  process.execve?.(onPath(command) as string, [command, ...args], { ...process.env, ...env })
  throw new Failure('this Node cannot put another program in its place')
}

async function main(options: Options, terminal: Terminal, signal: AbortSignal): Promise<number> {
  if (!inOwnNetwork() && options.faults.some(isOfNetwork)) {
    const missing = missingForOwnNetwork()
    if (missing === undefined) return startInOwnNetwork(terminal, signal)
    process.stdout.write(`  - A proxy delays packets instead of losing them; missing: ${missing}\n`)
  }
  const command = ['npm run chaos', ...process.argv.slice(2)].join(' ')
  return measureAlone({ command, wait: options.wait, terminal, signal }, () => measure(options, terminal, signal))
}

async function measure(options: Options, terminal: Terminal, signal: AbortSignal): Promise<number> {
  const { perSecond, seed, place, soakMinutes } = options
  const random = seededRandom(seed)
  const problemsBy = new Map<string, readonly string[]>()
  // After each fault, so that an interrupted run keeps what was measured until then.
  const done = (name: string, problems: readonly string[], measured: Partial<Now>) => {
    problemsBy.set(name, problems)
    if (place === undefined) return
    recordMeasured({ faults: [], overload: [], ...measured }, place)
  }
  const possible = options.faults.filter(isPossible)
  const onFault = (one: Measured) => done(one.name, problemsOf(one.result), { faults: [one] })
  const onOverload = (one: MeasuredOverload) => done(one.name, one.result.problems, { overload: [one] })
  try {
    await runFaults(possible, perSecond, random, terminal, signal, onFault)
    await runOverload(options.experiments, random, terminal, signal, onOverload)
    if (soakMinutes > 0) {
      const soak = await soakPlatform(soakMinutes, perSecond, terminal, signal)
      done(SOAK.name, soak.result.problems, { soak })
    }
  } finally {
    terminal.clear()
    if (place !== undefined && problemsBy.size > 0) {
      writeDocument(place)
      process.stdout.write(`Wrote ${relative('.', place.document)}.\n`)
    }
    const wanted = [...possible, ...options.experiments, ...(soakMinutes > 0 ? [SOAK] : [])].map(({ name }) => name)
    const missing = wanted.filter((name) => !problemsBy.has(name))
    const held = [...problemsBy.values()].filter(({ length }) => length === 0).length
    process.stdout.write(`${held} of ${problemsBy.size} held, seed ${seed}.\n`)
    if (missing.length > 0) process.stdout.write(`Not done: ${missing.join(', ')}.\n`)
  }
  return [...problemsBy.values()].every(({ length }) => length === 0) ? EXIT.ok : EXIT.missed
}

function isOfNetwork(fault: Fault): boolean {
  return networkFaults.includes(fault)
}

function isPossible({ title, missing }: Fault): boolean {
  const what = missing?.()
  if (what !== undefined) process.stdout.write(`  - ${title}: not done; missing: ${what}\n`)
  return what === undefined
}

function options(): Options & { readonly help: boolean } {
  try {
    const { values } = parseArgs({
      options: {
        rate: { type: 'string' },
        only: { type: 'string', multiple: true },
        seed: { type: 'string' },
        'soak-minutes': { type: 'string' },
        into: { type: 'string' },
        'no-document': { type: 'boolean' },
        wait: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h' },
      },
    })
    const names = values.only ?? []
    const isWanted = ({ name }: { readonly name: string }) => names.length === 0 || names.includes(name)
    const unknown = names.find((name) => !ALL.some((one) => one.name === name))
    if (unknown !== undefined) {
      throw new Error(`--only is "${unknown}"; it may be ${ALL.map(({ name }) => name).join(', ')}`)
    }
    // Now, so that a folder that cannot be created is reported before the measurement.
    if (values.into !== undefined) mkdirSync(values.into, { recursive: true })
    return {
      perSecond: wholeNumber('--rate', values.rate ?? String(PER_SECOND), 1, 10_000),
      seed: wholeNumber('--seed', values.seed ?? String(Math.floor(Math.random() * 1_000_000)), 0, 1_000_000_000),
      faults: FAULTS.filter(isWanted),
      experiments: EXPERIMENTS.filter(isWanted),
      soakMinutes: isWanted(SOAK) ? wholeNumber('--soak-minutes', values['soak-minutes'] ?? '0', 0, 1_440) : 0,
      place: values['no-document'] === true ? undefined : placeIn(values.into),
      wait: values.wait ?? false,
      help: values.help ?? false,
    }
  } catch (error) {
    throw new Usage((error as Error).message)
  }
}
