/**
 * When each message of the live scenario is due: an open model that 10 publishers keep without talking to each other.
 *
 * The messages of all publishers are numbered through; message i belongs to publisher i mod P. Times are seconds
 * after publishing starts: the rate rises evenly during the ramp and is held during the peak.
 */
import type { LiveSettings } from './lib.settings.ts'

export type Schedule = {
  readonly ratePerSecond: number
  readonly rampSeconds: number
  readonly peakSeconds: number
}

export const scheduleOf = ({ shape, offeredPerSecond }: LiveSettings): Schedule => ({
  ratePerSecond: offeredPerSecond,
  rampSeconds: shape.rampSeconds,
  peakSeconds: shape.peakSeconds,
})

export function plannedMessages({ ratePerSecond, rampSeconds, peakSeconds }: Schedule): number {
  return Math.floor(ratePerSecond * (rampSeconds / 2 + peakSeconds))
}

export function dueAtSeconds(index: number, { ratePerSecond, rampSeconds }: Schedule): number {
  const inRamp = (ratePerSecond * rampSeconds) / 2
  if (index < inRamp) return Math.sqrt((2 * index * rampSeconds) / ratePerSecond)
  return rampSeconds + (index - inRamp) / ratePerSecond
}
