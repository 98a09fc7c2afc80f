/** What there is to see of a TestRun at one moment. */
import type { RunnerPod } from '../../results-format.ts'

export type Look = {
  readonly stage: string
  readonly pods: readonly RunnerPod[]
  readonly sinceSeconds: number
  /** What keeps it from going on, most important first. */
  readonly problems?: readonly Problem[]
}

export type Problem = {
  /** Which of them it is, whatever its words: each is told once. */
  readonly kind: string
  readonly text: string
}
