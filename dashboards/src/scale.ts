/**
 * The time windows of alerts. In production an SLO covers a month; a demonstration has minutes and a drill seconds. So the
 * same rules also exist with every time divided.
 */
export type Scale = {
  readonly name: 'production' | 'demo' | 'drill'
  /** The period of an error budget. */
  readonly periodSeconds: number
  readonly dividedBy: number
  /** A rate needs a few scrapes: one every 5 s, or every 2 s in a drill. */
  readonly shortestSeconds: number
  /** The evaluation interval of groups that set none. */
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
 * The length of a production window in this scale, in the largest unit that gives a whole number.
 *
 * @param leastSeconds the shortest length, in any scale
 */
export function scaled(duration: Duration, { dividedBy, shortestSeconds }: Scale, leastSeconds = 0): Duration {
  return written(Math.max(leastSeconds, shortestSeconds, Math.round(secondsOf(duration) / dividedBy)))
}

/** A window long enough for a single occurrence to fire, although the condition has to last. */
export const remembering = (duration: Duration, lasting: Duration, scale: Scale): Duration =>
  written(Math.max(secondsOf(scaled(duration, scale)), 3 * secondsOf(scaled(lasting, scale))))

export function written(seconds: number): Duration {
  const units = ['d', 'h', 'm'] as const
  const unit = units.find((one) => seconds % SECONDS[one] === 0)
  return unit === undefined ? `${seconds}s` : `${seconds / SECONDS[unit]}${unit}`
}
