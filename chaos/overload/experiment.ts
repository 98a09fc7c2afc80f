import type { Rig } from '../rig/rig.ts'

/** Overload, or abuse by one client. */
export type Experiment = {
  readonly name: string
  readonly title: string
  run(rig: Rig): Promise<ExperimentResult>
}

export type ExperimentResult = {
  readonly title: string
  /** What was measured, as a sentence. */
  readonly figures: string
  /** One sentence for each promise that was broken. */
  readonly problems: readonly string[]
}
