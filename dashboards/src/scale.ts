/**
 * How long alerts look back. In production an SLO is kept or broken over a month; a demonstration has minutes, so that
 * the same rules exist with every time divided.
 */
export type Scale = {
  readonly name: 'production' | 'demo'
  /** Over which an error budget lasts. */
  readonly periodSeconds: number
  readonly dividedBy: number
  /** A rate needs a few scrapes. */
  readonly shortestSeconds: number
}

const DAY_SECONDS = 86_400

export const PRODUCTION: Scale = {
  name: 'production',
  periodSeconds: 30 * DAY_SECONDS,
  dividedBy: 1,
  shortestSeconds: 60,
}
export const DEMO: Scale = { name: 'demo', periodSeconds: DAY_SECONDS / 2, dividedBy: 60, shortestSeconds: 30 }

const SECONDS = { s: 1, m: 60, h: 3_600, d: DAY_SECONDS } as const

export type Duration = `${number}${keyof typeof SECONDS}`

export const secondsOf = (duration: Duration): number =>
  Number(duration.slice(0, -1)) * SECONDS[duration.slice(-1) as keyof typeof SECONDS]

/** A window of production as it is in this scale, in the largest unit that gives a whole number. */
export function scaled(duration: Duration, { dividedBy, shortestSeconds }: Scale): Duration {
  return written(Math.max(shortestSeconds, Math.round(secondsOf(duration) / dividedBy)))
}

export function written(seconds: number): Duration {
  const units = ['d', 'h', 'm'] as const
  const unit = units.find((one) => seconds % SECONDS[one] === 0)
  return unit === undefined ? `${seconds}s` : `${seconds / SECONDS[unit]}${unit}`
}
