import type { Series } from './server-evidence.ts'

/**
 * Gathers values over time, each series as long as the samples taken, and gives them back compact: rounded to four
 * digits, and a value that never changed as that one number.
 */
export type SeriesRecorder = {
  /** Begins the next sample. @returns seconds since the sample before; 0 for the first */
  begin(atMs: number): number
  gauge(name: string, value: number | null | undefined): void
  /**
   * Records by how much a total grew a second; nothing when it shrank, as after a restart.
   *
   * @param before of one that was never recorded: what it was at the sample before, if that is known
   */
  growth(name: string, total: number | null | undefined, before?: number): void
  /** @returns 0 throughout when the name was never recorded */
  series(name: string): Series
  names(): readonly string[]
  /** What a total grew by from the first sample in which it was known to the last, restarts left out. */
  grown(name: string): number
  atSeconds(): readonly number[]
}

type Total = { last: number; grown: number; at: number }

export function createSeriesRecorder(startedAtMs: number): SeriesRecorder {
  const times: number[] = []
  const columns = new Map<string, (number | null)[]>()
  const totals = new Map<string, Total>()

  const put = (name: string, value: number | null) => {
    let column = columns.get(name)
    if (column === undefined) {
      column = []
      columns.set(name, column)
    }
    // What was not there in earlier samples was not answered then.
    while (column.length < times.length - 1) column.push(null)
    column[times.length - 1] = value
  }

  return {
    begin(atMs) {
      const before = times.at(-1)
      times.push((atMs - startedAtMs) / 1000)
      return before === undefined ? 0 : times.at(-1)! - before
    },
    gauge: (name, value) => put(name, value ?? null),
    growth(name, value, before) {
      const now = times.at(-1) ?? 0
      const earlier = times.at(-2)
      if (value === null || value === undefined) return put(name, null)
      if (before !== undefined && earlier !== undefined && !totals.has(name)) {
        totals.set(name, { last: before, grown: 0, at: earlier })
      }
      const total = totals.get(name)
      if (total === undefined) {
        totals.set(name, { last: value, grown: 0, at: now })
        return put(name, null)
      }
      const grown = value - total.last
      put(name, grown < 0 || now <= total.at ? null : grown / (now - total.at))
      if (grown > 0) total.grown += grown
      total.last = value
      total.at = now
    },
    series(name) {
      const column = columns.get(name)
      if (column === undefined) return 0
      const values = Array.from(times, (_, i) => round(column[i] ?? null))
      const answered = values.filter((value) => value !== null)
      const [first] = answered
      // A growth has no value in its first sample: that alone does not make it vary.
      const steady = first !== undefined && answered.every((value) => value === first)
      return steady && answered.length >= values.length - 1 ? first : values
    },
    names: () => [...columns.keys()],
    grown: (name) => totals.get(name)?.grown ?? 0,
    atSeconds: () => times.map((seconds) => Math.round(seconds * 100) / 100),
  }
}

function round(value: number | null): number | null {
  return value === null ? null : Number(value.toPrecision(4))
}
