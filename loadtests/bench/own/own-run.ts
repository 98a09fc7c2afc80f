/** What has to be known of the run of a script to judge it: kept next to its archive, for `collect`. */
import { Failure } from '@hopwhistle/platform/command-line/failure.ts'
import type { OwnResult } from './own-result.ts'
import type { Targets } from './targets-file.ts'

const FORMAT = 'hopwhistle.own-run/1'

export type OwnRun = Pick<OwnResult, 'name' | 'script' | 'runId' | 'load' | 'targets' | 'judged'> & {
  readonly format: typeof FORMAT
  /** Without the address of Prometheus, which may have a password. */
  readonly servers?: Targets['servers']
  readonly k6: string
  /** Until it has to be over, from when its runners are told to begin. */
  readonly withinSeconds: number
}

/** What is still open at the end may take its time, then the summary is made and the pod ends. */
const AFTER_THE_LOAD_SECONDS = 75

export const ownRun = (
  run: Pick<OwnRun, 'name' | 'script' | 'runId' | 'load' | 'k6'>,
  { targets, judged, servers }: Targets,
  seconds: number,
): OwnRun => ({
  format: FORMAT,
  ...run,
  targets,
  ...(judged === undefined ? {} : { judged }),
  ...(servers === undefined ? {} : { servers }),
  withinSeconds: Math.ceil(seconds) + AFTER_THE_LOAD_SECONDS,
})

/** @throws {Failure} */
export function parseOwnRun(text: string, where: string): OwnRun {
  const run = JSON.parse(text) as OwnRun
  if (run.format === FORMAT) return run
  throw new Failure(`${where} has the format "${run.format}"; expected "${FORMAT}"`)
}
