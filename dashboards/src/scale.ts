/**
 * How long alerts look back. In production an SLO is kept or broken over a month; a demonstration has minutes and a
 * drill seconds, so that the same rules exist with every time divided.
 */
export type Scale = {
  readonly name: 'production' | 'demo' | 'drill'
  /** Over which an error budget lasts. */
  readonly periodSeconds: number
  readonly dividedBy: number
  /** A rate needs a few scrapes: of every 5 s, or of every 2 s in a drill. */
  readonly shortestSeconds: number
  /** Between two looks at every rule, where each group has no time of its own. */
  readonly every?: Duration
}

const DAY_SECONDS = 86_400

export const PRODUCTION: Scale = {
  name: 'production',
  periodSeconds: 30 * DAY_SECONDS,
  dividedBy: 1,
  shortestSeconds: 60,
}
export const DEMO: Scale = {
  name: 'demo',
  periodSeconds: DAY_SECONDS / 2,
  dividedBy: 60,
  shortestSeconds: 30,
  every: '5s',
}
export const DRILL: Scale = {
  name: 'drill',
  periodSeconds: DAY_SECONDS / 48,
  dividedBy: 1440,
  shortestSeconds: 8,
  every: '2s',
}
export const SCALES = [PRODUCTION, DEMO, DRILL] as const

const SECONDS = { s: 1, m: 60, h: 3_600, d: DAY_SECONDS } as const

export type Duration = `${number}${keyof typeof SECONDS}`

export const secondsOf = (duration: Duration): number =>
  Number(duration.slice(0, -1)) * SECONDS[duration.slice(-1) as keyof typeof SECONDS]

/**
 * A window of production as it is in this scale, in the largest unit that gives a whole number.
 *
 * @param leastSeconds below which it would see too little, whatever the scale
 */
export function scaled(duration: Duration, { dividedBy, shortestSeconds }: Scale, leastSeconds = 0): Duration {
  return written(Math.max(leastSeconds, shortestSeconds, Math.round(secondsOf(duration) / dividedBy)))
}

/** A window that remembers what happened once for long enough to fire, though it has to last. */
export const remembering = (duration: Duration, lasting: Duration, scale: Scale): Duration =>
  written(Math.max(secondsOf(scaled(duration, scale)), 3 * secondsOf(scaled(lasting, scale))))

export function written(seconds: number): Duration {
  const units = ['d', 'h', 'm'] as const
  const unit = units.find((one) => seconds % SECONDS[one] === 0)
  return unit === undefined ? `${seconds}s` : `${seconds / SECONDS[unit]}${unit}`
}
