/** Series to compare our version of Otava's method with Otava itself. Started as a program, it prints them. */
import { KINDS, simulate } from '../../bench/history/precision/simulate.ts'

export const OTAVA_SERIES: readonly (readonly number[])[] = KINDS.flatMap((kind) =>
  [0, 0.05, 0.1].flatMap((step) =>
    [0.01, 0.03, 0.05].flatMap((noise) =>
      Array.from({ length: 4 }, (_, n) => {
        const { values } = simulate({ kind, step, noise, seed: 555_000 + n })
        // To seven digits, as a file has them: so that no last digit of a logarithm counts.
        return values.map((value) => Number(value.toPrecision(7)))
      }),
    ),
  ),
)

if (import.meta.main) process.stdout.write(JSON.stringify(OTAVA_SERIES))
