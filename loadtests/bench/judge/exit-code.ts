import { EXIT } from '@hopwhistle/platform/command-line/failure.ts'
import type { Verdict } from '../evidence/verdict.ts'

/**
 * What a measurement ends with: 0 when every target is met by valid evidence, 1 when one is missed, 2 when any run is
 * invalid or there is none.
 */
export function exitCodeOf(verdicts: readonly Pick<Verdict, 'outcome'>[]): 0 | 1 | 2 {
  if (verdicts.length === 0 || verdicts.some(({ outcome }) => outcome === 'invalid')) return EXIT.failed
  return verdicts.some(({ outcome }) => outcome === 'missed') ? EXIT.missed : EXIT.ok
}
