import type { Rig } from '../rig/rig.ts'

/** More than the platform can do, or worse than anybody should ask. */
export type Experiment = {
  readonly name: string
  readonly title: string
  run(rig: Rig): Promise<ExperimentResult>
}

export type ExperimentResult = {
  readonly title: string
  /** What was measured, as a sentence. */
  readonly figures: string
  /** A sentence for each promise that was not kept. */
  readonly problems: readonly string[]
}
