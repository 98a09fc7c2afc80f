import type { Steps } from '../steps.ts'

/** One command of tooling/cluster/main.ts. */
export type ClusterCommand = {
  readonly summary: string
  readonly help: string
  /** @returns what to tell at the end @throws {Usage | Failure} */
  run(args: readonly string[], steps: Steps): Promise<string>
}
