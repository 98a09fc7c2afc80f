export type Trend = {
  /** What a straight line through the values rises by from the first to the last; negative: falls. */
  readonly rise: number
  /** Standard deviation of the values from that line. */
  readonly noise: number
  readonly mean: number
  /** The rise is more than chance and a little unevenness explain. */
  readonly grows: boolean
}

/** A rise up to this many times the noise, or this share of the mean, is none. */
const NOISES = 3
const UNEVEN = 0.1

/** The trend of values that were taken at even distances. */
export function trendOf(values: readonly number[]): Trend {
  const n = Math.max(1, values.length)
  const mean = values.reduce((a, b) => a + b, 0) / n
  const middle = (n - 1) / 2
  const spread = values.reduce((sum, _, i) => sum + (i - middle) ** 2, 0)
  const slope = spread === 0 ? 0 : values.reduce((sum, value, i) => sum + (i - middle) * (value - mean), 0) / spread
  const noise = Math.sqrt(values.reduce((sum, v, i) => sum + (v - mean - slope * (i - middle)) ** 2, 0) / n)
  const rise = slope * (n - 1)
  return { rise, noise, mean, grows: rise > Math.max(NOISES * noise, UNEVEN * mean, 1) }
}
