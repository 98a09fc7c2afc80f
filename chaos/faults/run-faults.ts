import type { Terminal } from '../../platform/command-line/terminal.ts'
import { resultLine } from '../lib/result-line.ts'
import { shuffled } from '../lib/shuffled.ts'
import { hereAndNow, type Measured } from '../measured.ts'
import { inOwnNetwork } from '../rig/own-network.ts'
import { withPlatform } from '../rig/with-platform.ts'
import type { Fault } from './fault.ts'
import { problemsOf } from './problems-of.ts'
import { type FaultResult, runFault } from './run-fault.ts'

/**
 * Runs the faults in random order: first those of servers, then the others on a rigged platform. Prints a line for each
 * result and passes it to `onDone`.
 */
export async function runFaults(
  faults: readonly Fault[],
  perSecond: number,
  random: () => number,
  terminal: Terminal,
  signal: AbortSignal,
  onDone: (measured: Measured) => void,
): Promise<void> {
  for (const needs of ['servers', 'rigging'] as const) {
    const these = shuffled(
      faults.filter((fault) => fault.needs === needs),
      random,
    )
    if (these.length === 0) continue
    await breakOnePlatform(these, needs === 'rigging', perSecond, random, terminal, signal, onDone)
  }
}

async function breakOnePlatform(
  faults: readonly Fault[],
  rigged: boolean,
  perSecond: number,
  random: () => number,
  terminal: Terminal,
  signal: AbortSignal,
  onDone: (measured: Measured) => void,
): Promise<void> {
  const options = { instances: 3, terminal, signal, ...(rigged && { rigged: { random } }) }
  return withPlatform(options, async (rig) => {
    for (const fault of faults) {
      signal.throwIfAborted()
      const options = { name: `${fault.name}-${Date.now()}`, perSecond, moment: random() }
      const result = await terminal.during(fault.title, () => runFault(fault, rig, options))
      process.stdout.write(lineOf(result))
      onDone({ name: fault.name, ...hereAndNow(), perSecond, ownNetwork: inOwnNetwork(), result })
    }
  })
}

function lineOf(result: FaultResult): string {
  const sum = (by: Readonly<Record<string, number>>) => Object.values(by).reduce((all, count) => all + count, 0)
  const figures =
    `${result.heldPerSecond}/s of ${result.sent} events, ${sum(result.refusals)} refused at first, ` +
    `slowest ${(result.slowestMs / 1000).toFixed(1)} s, recovered after ${(result.recoveredAfterMs / 1000).toFixed(1)} s, ` +
    `${result.lost.length} lost; ${sum(result.reports.failures)} of ${result.reports.asked} reports refused; ` +
    `${result.live.toldGaps} gaps told to ${result.live.followers} subscribers`
  return resultLine(result.title, figures, problemsOf(result))
}
