/** The result of a script of somebody else: `results/<name>.json`. */
import type { DistributedRun, Name, SeriesPoint } from '../../results-format.ts'
import type { JudgedPart, OwnRunner } from '../../scenarios/own/plan.ts'
import type { Environment } from '../sample/environment.ts'
import type { ServerEvidence } from '../sample/server-evidence.ts'
import type { Target } from './target.ts'

export const OWN_FORMAT = 'hopwhistle.own-script/1'

export type OwnResult = {
  readonly format: typeof OWN_FORMAT
  readonly name: Name
  /** The script's file name. */
  readonly script: Name
  readonly runId: Name
  readonly startedAt: string
  /** What makes it another load: script, targets and options of k6. Runs of another are not compared. */
  readonly load: string
  readonly expectedRunners: number
  /** Of the targets file. Those of the script are in its runners. */
  readonly targets: readonly Target[]
  readonly judged?: JudgedPart
  readonly runners: readonly OwnRunner[]
  /** Of a run by k6-operator. */
  readonly distributed?: DistributedRun
  readonly series: readonly SeriesPoint[]
  /** The machine of k6, where it is this one; in a cluster its pods and nodes. */
  readonly machine?: ServerEvidence
  readonly servers: readonly ServerFigures[]
  readonly environment: Pick<Environment, 'name' | 'machine' | 'source' | 'neighbours'> & {
    readonly k6: string
  }
  readonly verdict?: OwnVerdict
}

/** What Prometheus answered about the run. */
export type ServerFigures = {
  readonly name: string
  readonly query: string
  readonly unit: string
  readonly limit?: number
  readonly series: readonly {
    readonly labels: string
    readonly points: readonly (readonly [seconds: number, value: number])[]
  }[]
  /** Why there is none. */
  readonly problem?: string
}

export type OwnVerdict = {
  readonly outcome: 'met' | 'missed' | 'invalid'
  readonly figures: readonly Figure[]
  readonly reasons: readonly { readonly rule: string; readonly effect: 'invalid' | 'remark'; readonly text: string }[]
  readonly limitedBy: string
}

/** A target and what was measured. */
export type Figure = Target & {
  readonly unit: string
  /** Absent when there was no sample, or it lies somewhere in `between`. */
  readonly measured?: number
  /** Of a percentile that several runners have each for themselves: the lowest and the highest of them. */
  readonly between?: readonly [number, number]
  readonly status: 'met' | 'missed' | 'unknown'
}
