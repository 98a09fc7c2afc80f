/** One thing that is measured in every round. */
export type Contender<T> = { readonly name: string; measure(): Promise<T> }

/**
 * Measures in turns, A B C A B C …, so that a machine that grows slower or faster meanwhile does so for all of them.
 * Every second round goes the other way round, so that none always follows the same one.
 *
 * @param onTurn told before each measurement
 * @returns the measurements of each contender by its name, one a round
 */
export async function runRounds<T>(
  rounds: number,
  contenders: readonly Contender<T>[],
  onTurn: (round: number, name: string) => void,
): Promise<Readonly<Record<string, readonly T[]>>> {
  const measured = Object.fromEntries(contenders.map(({ name }) => [name, [] as T[]]))
  for (let round = 1; round <= rounds; round++) {
    for (const { name, measure } of round % 2 === 1 ? contenders : contenders.toReversed()) {
      onTurn(round, name)
      measured[name]!.push(await measure())
    }
  }
  return measured
}
