/** Thresholds for warning and bad, computed from targets and limits. */
export type Level = 'good' | 'warn' | 'bad'
export type Threshold = { readonly from: number | undefined; readonly level: Level }

const good: Threshold = { from: undefined, level: 'good' }

/** The value should be below `target`: a warning from 80 % of it on. */
export const below = (target: number): readonly Threshold[] => [
  good,
  { from: target * 0.8, level: 'warn' },
  { from: target, level: 'bad' },
]

/** The share, 0 to 1, should be above `target`: a warning within a fifth of the allowed failures. */
export const above = (target: number): readonly Threshold[] => [
  { from: undefined, level: 'bad' },
  { from: target, level: 'warn' },
  { from: target + (1 - target) / 5, level: 'good' },
]

/** A rate that should be reached. A lower rate is no fault when there is less load. */
export const reaches = (target: number): readonly Threshold[] => [
  { from: undefined, level: 'warn' },
  { from: target, level: 'good' },
]

/** The used share of a limit. The alerts have the same 80 % and 95 %. */
export const ofLimit: readonly Threshold[] = [good, { from: 0.8, level: 'warn' }, { from: 0.95, level: 'bad' }]

/** The same for a limit in its own unit. */
export const ofLimitAt = (limit: number): readonly Threshold[] => [
  good,
  { from: limit * 0.8, level: 'warn' },
  { from: limit * 0.95, level: 'bad' },
]

/** Good is only 0. */
export const none: readonly Threshold[] = [good, { from: 0.001, level: 'bad' }]

/** 1 is good, 0 is bad. */
export const isUp: readonly Threshold[] = [
  { from: undefined, level: 'bad' },
  { from: 1, level: 'good' },
]

/** Burn rates: 1 uses exactly the budget, 6 pages. */
export const burning: readonly Threshold[] = [good, { from: 1, level: 'warn' }, { from: 6, level: 'bad' }]

/** The remaining share of an error budget. */
export const budget: readonly Threshold[] = [
  { from: undefined, level: 'bad' },
  { from: 0, level: 'warn' },
  { from: 0.25, level: 'good' },
]

/** No value is good or bad by itself; the description says why. */
export const courseOnly: readonly Threshold[] = [good]
