export type Trend = {
  readonly mean: number
  /** The rise of a straight line through the values, from first to last; negative when it falls. */
  readonly rise: number
  /** The 99 % confidence interval of the rise. */
  readonly low: number
  readonly high: number
  /**
   * flat     the slope is within its noise, and the noise is small enough to show a rise that matters
   * grows    it rises by more than the noise, and by two units at least
   * unclear  the noise is too large to say
   */
  readonly verdict: 'flat' | 'grows' | 'unclear'
}

/**
 * Neighbouring values are correlated, for example those between two garbage collections. The error of a line through all
 * of them would look too small, so the line goes through the means of this many parts.
 */
const PARTS = 20
/** Student's t for 99 % and a line through 20 points. With five resources, one run in forty is a false alarm. */
const T_99 = 2.878
/** The largest autocorrelation of neighbouring parts that the error is corrected for. */
const ALIKE_MAX = 0.8
/** A smaller rise is ignored: a single step by 1 makes a line that rises by 1.5. */
const LEAST = 2
/** A rise by this share of the mean would matter. */
const SHARE = 0.1

/**
 * The trend of values that were sampled at equal intervals.
 *
 * @param matters a rise by this much counts, however small its share of the mean
 * @throws {RangeError} for fewer than 20 values
 */
export function trendOf(values: readonly number[], matters: number): Trend {
  if (values.length < PARTS) throw new RangeError(`${values.length} values: a trend needs ${PARTS}`)
  const mean = meanOf(values)
  const parts = Array.from({ length: PARTS }, (_, i) => meanOf(values.slice(at(i, values), at(i + 1, values))))
  const middle = (PARTS - 1) / 2
  const spread = parts.reduce((sum, _, i) => sum + (i - middle) ** 2, 0)
  const level = meanOf(parts)
  const slope = parts.reduce((sum, value, i) => sum + (i - middle) * (value - level), 0) / spread
  const rests = parts.map((value, i) => value - level - slope * (i - middle))
  const squares = rests.reduce((sum, rest) => sum + rest * rest, 0)
  const alike = squares === 0 ? 0 : rests.reduce((sum, rest, i) => sum + rest * (rests[i - 1] ?? 0), 0) / squares
  const r = Math.min(ALIKE_MAX, Math.max(0, alike))
  const error = Math.sqrt((squares / (PARTS - 2) / spread) * ((1 + r) / (1 - r)))
  const rise = slope * PARTS
  const margin = T_99 * error * PARTS
  const [low, high] = [rise - margin, rise + margin]
  const isRise = low > 0 && rise >= LEAST
  const isSure = high <= Math.max(matters, SHARE * mean)
  return { mean, rise, low, high, verdict: isRise ? 'grows' : isSure ? 'flat' : 'unclear' }
}

const at = (part: number, { length }: readonly number[]): number => Math.round((part * length) / PARTS)

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
