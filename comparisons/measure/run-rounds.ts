import type { PartOptions } from '../parts.ts'

/** One thing that is measured in every round. */
export type Contender<T> = { readonly name: string; measure(): Promise<T> }

/**
 * Measures in turns, A B C, B C A, C A B, …, so that a machine that grows slower or faster meanwhile does so for all of
 * them: in as many rounds as there are contenders, each is once at every place.
 *
 * @param what is measured, as a person who waits would call it
 * @returns the measurements of each contender by its name, one a round
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
