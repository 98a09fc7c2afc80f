/** A result with all that Node adds to what k6 measured; see `results-format.ts`. */
import type { Count, K6Result } from '../../results-format.ts'
import type { Environment } from '../sample/environment.ts'
import type { ServerEvidence } from '../sample/server-evidence.ts'
import type { Verdict } from './verdict.ts'

export type LoadtestResult = K6Result & {
  /**
   * Shorter runs at smaller rates, made because this one missed a target or is invalid; in the order in which they were
   * made. Their environment is that of this run.
   */
  readonly steps?: readonly LoadtestResult[]
  /** The run that was made before this one and that other programs, or the host, disturbed: this one repeats it. */
  readonly disturbed?: LoadtestResult
  /** Set when it was ended before its time because a target could not be met any more: after how long, and which. */
  readonly abandoned?: { readonly afterSeconds: Count; readonly because: string }
  readonly server?: ServerEvidence
  readonly environment?: Environment
  readonly verdict?: Verdict
}
