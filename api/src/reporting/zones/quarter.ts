/** The smallest piece of time that rollups know: every offset from UTC since 2000 is a whole number of them. */
export const QUARTER_MS = 15 * 60_000
export const QUARTERS_PER_HOUR = 4
export const QUARTERS_PER_DAY = 96
