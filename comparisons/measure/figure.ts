/** A figure of the benchmark, measured once per round. */
export type Comparison = '≥' | '≤' | '<'

export type Goal = { readonly comparison: Comparison; readonly value: number }

export type Figure = {
  /** `ingest.throughput.ours`: a figure has the same name in every run. */
  readonly id: string
  /** The label in tables. */
  readonly label: string
  /** `events/s`, `ms`, `×`. */
  readonly unit: string
  /** One value per round, in order; a ratio is computed from values of the same round. */
  readonly rounds: readonly number[]
  /** What exactly was measured, in a sentence. */
  readonly meaning: string
  readonly goal?: Goal
}

/** The median decides; the range shows how certain that is. */
export const meetsGoal = (median: number, { comparison, value }: Goal): boolean =>
  comparison === '≥' ? median >= value : comparison === '≤' ? median <= value : median < value

/** @throws {RangeError} when both do not have the same number of rounds */
export function ratioOf(above: readonly number[], below: readonly number[]): readonly number[] {
  if (above.length !== below.length) {
    throw new RangeError(`a ratio of ${above.length} rounds to ${below.length}: both must be of the same rounds`)
  }
  return above.map((value, round) => value / below[round]!)
}
