/** When a test ramps up, is at its peak, and cools down: the spans that counters and histograms are named after. */
import type { PhaseName, PhaseSpan } from '../../results-format.ts'
import type { LiveShape, RequestShape } from './profiles.ts'

export const REQUEST_PHASES = ['ramp', 'peak'] as const satisfies readonly PhaseName[]
export const LIVE_PHASES = ['ramp', 'peak', 'cool'] as const satisfies readonly PhaseName[]

export function requestPhases({ rampSeconds, peakSeconds }: RequestShape): readonly PhaseSpan[] {
  return [
    { name: 'ramp', fromSeconds: 0, toSeconds: rampSeconds },
    { name: 'peak', fromSeconds: rampSeconds, toSeconds: rampSeconds + peakSeconds },
  ]
}

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

/** The phase of something sent then. What is sent late belongs to the last phase, what is sent early to the first. */
export function phaseAt(phases: readonly PhaseSpan[], elapsedSeconds: number): PhaseName {
  let current = phases[0]?.name ?? 'peak'
  for (let i = 0; i < phases.length; i++) {
    const phase = phases[i]
    if (phase !== undefined && elapsedSeconds >= phase.fromSeconds) current = phase.name
  }
  return current
}

export function peakSecondsOf(phases: readonly PhaseSpan[]): number {
  const peak = phases.find(({ name }) => name === 'peak')
  return peak === undefined ? 0 : peak.toSeconds - peak.fromSeconds
}
