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
const SOAK = { name: 'soak', title: 'Nothing but the load, for long (only with --soak-minutes)' }
const ALL: readonly { readonly name: string; readonly title: string }[] = [...FAULTS, ...EXPERIMENTS, SOAK]

const HELP = `Usage: npm run chaos [-- --rate N] [--only NAME]… [--seed N] [--soak-minutes N] [--into FOLDER] [--wait]

Starts a platform of its own, sends it call events without a pause while reports are read and subscribers follow, and
does to it, one after the other:

${ALL.map(({ name, title }) => `  ${name.padEnd(18)} ${title}`).join('\n')}

After each, every acknowledged event has to be in Postgres, once, rollups have to be what the calls add up to, and each
subscriber must have got each message once and in order, or have been told. What asks for more than there is must not
keep others waiting. Faults of the network need root on Linux, and iptables, to lose packets, in a network of their own; a
proxy holds them elsewhere. Writes docs/reliability.md. Takes about twelve minutes. Interrupted, it ends what it is at, keeps what
it has and says what is missing; interrupted again, it stops at once.

  --rate N         events a second; ${PER_SECOND} if not given
  --only NAME      only this one; may be repeated. The document keeps what was measured of the others
  --seed N         the same order, moments and losses again; another each time if not given, and printed
  --soak-minutes N  the load alone for so long at the end; only that, with --only soak. None if not given
  --into FOLDER    writes what was measured, the document and the chart there, and nothing of the repository
  --no-document    writes none of them
  --wait           ${WAIT_HELP}

Exit codes: 0 everything held, 1 something did not, 2 it could not be done, or not to its end.
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

/** Puts the same command in the place of this process, in a network of its own. What it needs of the other is here first. */
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
    process.stdout.write(`  - Packets are held by a proxy, not lost: there is no ${missing}\n`)
  }
  const command = ['npm run chaos', ...process.argv.slice(2)].join(' ')
  return measureAlone({ command, wait: options.wait, terminal, signal }, () => measure(options, terminal, signal))
}

async function measure(options: Options, terminal: Terminal, signal: AbortSignal): Promise<number> {
  const { perSecond, seed, place, soakMinutes } = options
  const random = seededRandom(seed)
  const problemsBy = new Map<string, readonly string[]>()
  // At once: whoever waits no longer, or has a machine that stops, keeps what was measured until then.
  const done = (name: string, problems: readonly string[], measured: Partial<Now>) => {
    problemsBy.set(name, problems)
    if (place === undefined) return
    const replaced = recordMeasured({ faults: [], overload: [], ...measured }, place)
    if (replaced !== undefined)
      process.stdout.write(`What was measured on ${replaced}, another machine, is replaced.\n`)
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
  if (what !== undefined) process.stdout.write(`  - ${title}: not done, for there is no ${what}\n`)
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
    // Now, so that a folder that cannot be is said before anything was measured.
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
