/** When a test ramps up, is at its peak, and cools down: the spans that counters and histograms are named after. */
import type { LiveShape, RequestShape } from '../../../contract/scenarios.ts'
import type { PhaseName, PhaseSpan } from '../../results-format.ts'

/** The phases in which something is sent, and that counters and histograms are named after. */
export const SENDING_PHASES = ['ramp', 'peak'] as const satisfies readonly PhaseName[]
export type SendingPhase = (typeof SENDING_PHASES)[number]

export function requestPhases({
  rampSeconds,
  peakSeconds,
}: Pick<RequestShape, 'rampSeconds' | 'peakSeconds'>): readonly PhaseSpan[] {
  return [
    { name: 'ramp', fromSeconds: 0, toSeconds: rampSeconds },
    { name: 'peak', fromSeconds: rampSeconds, toSeconds: rampSeconds + peakSeconds },
  ]
}

/** Of any scenario: live delivery also connects before its load and drains after it. */
export const phasesOf = (shape: RequestShape | LiveShape): readonly PhaseSpan[] =>
  'subscribers' in shape ? livePhases(shape) : requestPhases(shape)

export function livePhases(shape: LiveShape): readonly PhaseSpan[] {
  const ramp = shape.connectSeconds
  const peak = ramp + shape.rampSeconds
  const cool = peak + shape.peakSeconds
  return [
    { name: 'ramp', fromSeconds: ramp, toSeconds: peak },
    { name: 'peak', fromSeconds: peak, toSeconds: cool },
    { name: 'cool', fromSeconds: cool, toSeconds: cool + shape.drainSeconds },
  ]
}

/** Seconds after the start at which the peak begins: what is sent from then on, however late, belongs to it. */
export function peakFrom(phases: readonly PhaseSpan[]): number {
  return phases.find(({ name }) => name === 'peak')?.fromSeconds ?? 0
}

/**
 * How long the first runner waits for all others to be ready. k6-operator starts them one after the other, each in up to
 * 0.13 s.
 */
export const startWithinSeconds = (runners: number): number => 30 + Math.ceil(runners / 4)

export function peakSecondsOf(phases: readonly PhaseSpan[]): number {
  const peak = phases.find(({ name }) => name === 'peak')
  return peak === undefined ? 0 : peak.toSeconds - peak.fromSeconds
}
