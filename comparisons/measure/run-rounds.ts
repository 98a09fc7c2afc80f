import type { PartOptions } from '../parts.ts'

/** A contender is measured once in every round. */
export type Contender<T> = { readonly name: string; measure(): Promise<T> }

/**
 * Measures in turns, A B C, B C A, C A B, …, so that a change of the machine's speed affects all equally: in as many rounds
 * as there are contenders, each is once at every position.
 *
 * @param what names the measurement in the progress output
 * @returns the measurements of each contender by name, one per round
 */
export async function runRounds<T>(
  what: string,
  { rounds, terminal, signal }: Pick<PartOptions, 'rounds' | 'terminal' | 'signal'>,
  contenders: readonly Contender<T>[],
): Promise<Readonly<Record<string, readonly T[]>>> {
  const measured = Object.fromEntries(contenders.map(({ name }) => [name, [] as T[]]))
  for (let round = 1; round <= rounds; round++) {
    const first = (round - 1) % contenders.length
    for (const { name, measure } of [...contenders.slice(first), ...contenders.slice(0, first)]) {
      signal.throwIfAborted()
      measured[name]!.push(await terminal.during(`${what}: round ${round} of ${rounds}, ${name}`, measure))
    }
  }
  return measured
}
