/** From where on a value is a warning or bad, taken from targets and limits rather than from taste. */
export type Level = 'good' | 'warn' | 'bad'
export type Threshold = { readonly from: number | undefined; readonly level: Level }

const good: Threshold = { from: undefined, level: 'good' }

/** A promise below `target`: a warning from 80 % of it on. */
export const below = (target: number): readonly Threshold[] => [
  good,
  { from: target * 0.8, level: 'warn' },
  { from: target, level: 'bad' },
]

/** A promise above `target`, a share between 0 and 1: a warning within a fifth of what may fail. */
export const above = (target: number): readonly Threshold[] => [
  { from: undefined, level: 'bad' },
  { from: target, level: 'warn' },
  { from: target + (1 - target) / 5, level: 'good' },
]

/** At least this: a rate that is to be reached. Below it is no fault when nobody asks for more. */
export const reaches = (target: number): readonly Threshold[] => [
  { from: undefined, level: 'warn' },
  { from: target, level: 'good' },
]

/** The use of a limit, as a share: the alerts begin at the same 80 % and 95 %. */
export const ofLimit: readonly Threshold[] = [good, { from: 0.8, level: 'warn' }, { from: 0.95, level: 'bad' }]

/** The same of a limit in its own unit. */
export const ofLimitAt = (limit: number): readonly Threshold[] => [
  good,
  { from: limit * 0.8, level: 'warn' },
  { from: limit * 0.95, level: 'bad' },
]

/** Anything but 0 wants to be looked at. */
export const none: readonly Threshold[] = [good, { from: 0.001, level: 'bad' }]

/** 1 is well, 0 is not. */
export const isUp: readonly Threshold[] = [
  { from: undefined, level: 'bad' },
  { from: 1, level: 'good' },
]

/** Burn rates: 1 just keeps the promise, 6 wakes somebody. */
export const burning: readonly Threshold[] = [good, { from: 1, level: 'warn' }, { from: 6, level: 'bad' }]

/** What is left of an error budget. */
export const budget: readonly Threshold[] = [
  { from: undefined, level: 'bad' },
  { from: 0, level: 'warn' },
  { from: 0.25, level: 'good' },
]

/** Shown for its course alone: no value of it is good or bad by itself, and the description says why. */
export const courseOnly: readonly Threshold[] = [good]
