/** What the benchmark states: a figure, measured once a round. */
export type Comparison = '≥' | '≤' | '<'

export type Goal = { readonly comparison: Comparison; readonly value: number }

export type Figure = {
  /** `ingest.throughput.ours`: the same figure has the same name in every run. */
  readonly id: string
  /** As a table names it. */
  readonly label: string
  /** `events/s`, `ms`, `×`. */
  readonly unit: string
  /** One value a round, in the order of the rounds; a ratio is one of values of the same round. */
  readonly rounds: readonly number[]
  /** What exactly was measured, in a sentence. */
  readonly meaning: string
  readonly goal?: Goal
}

/** Missed by its median; the range says how sure that is. */
export const meetsGoal = (median: number, { comparison, value }: Goal): boolean =>
  comparison === '≥' ? median >= value : comparison === '≤' ? median <= value : median < value

/** @throws {RangeError} when the rounds of one are not those of the other */
export function ratioOf(above: readonly number[], below: readonly number[]): readonly number[] {
  if (above.length !== below.length) {
    throw new RangeError(`a ratio of ${above.length} rounds to ${below.length}: both must be of the same rounds`)
  }
  return above.map((value, round) => value / below[round]!)
}
