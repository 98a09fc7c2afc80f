import type { PartOptions } from '../parts.ts'

/** One thing that is measured in every round. */
export type Contender<T> = { readonly name: string; measure(): Promise<T> }

/**
 * Measures in turns, A B C A B C …, so that a machine that grows slower or faster meanwhile does so for all of them.
 * Every second round goes the other way round, so that none always follows the same one.
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
    for (const { name, measure } of round % 2 === 1 ? contenders : contenders.toReversed()) {
      signal.throwIfAborted()
      measured[name]!.push(await terminal.during(`${what}: round ${round} of ${rounds}, ${name}`, measure))
    }
  }
  return measured
}
