/** The live line of a distributed run: what all runners do together, and each of them. */
import type { ScenarioName } from '@hopwhistle/contract/scenarios.ts'
import { plural } from '@hopwhistle/platform/document/figures.ts'
import type { RunnerPod } from '../../results-format.ts'
import type { K6Snapshot } from '../collect/k6-snapshot.ts'
import { doneIn } from '../run/live-line.ts'
import type { Look } from './look.ts'

/** With more than these there is no room for each. */
const MOST_SHOWN = 8

const STAGES: Readonly<Record<string, string>> = {
  new: 'the operator has not seen it yet',
  initialization: 'the script is checked',
  initialized: 'runners are made',
  created: 'runners come up',
  started: 'runners are told to begin',
}

/** Before the load begins: what the operator does, and how many runners are there. */
export function waitingLine(scenario: string, { stage, pods, sinceSeconds, problems = [] }: Look): string {
  const there = pods.filter(({ state }) => state === 'running').length
  const runners = problems[0]?.text ?? `${there} of ${plural(pods.length, 'runner')} up`
  return [`  … ${scenario.padEnd(19)}`, STAGES[stage] ?? stage, runners, `${sinceSeconds.toFixed(0)} s`].join('  ')
}

/** ` (126 + 126 + 127 + 126)`, or of many ` (100 × 4 to 6)`: what of the rate is whose. */
export function shares(scenario: ScenarioName, each: readonly K6Snapshot[], windowSeconds: number): string {
  const rates = each.map(({ counters }) => Math.round(doneIn(scenario, counters) / windowSeconds))
  if (rates.length < 2) return ''
  if (rates.length <= MOST_SHOWN) return ` (${rates.join(' + ')})`
  return ` (${rates.length} × ${Math.min(...rates)} to ${Math.max(...rates)})`
}

/** Those that are over while others still run. */
export function endedEarly(pods: readonly RunnerPod[]): string {
  const ended = pods.filter(({ state }) => state === 'ended')
  if (ended.length === 0 || ended.length === pods.length) return ''
  return `ended: ${ended.map(({ instance, exitCode }) => `${instance}${exitCode ? ` (${exitCode})` : ''}`).join(', ')}`
}
