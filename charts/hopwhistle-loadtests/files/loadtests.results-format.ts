/**
 * The result of a load test, as k6's `handleSummary` writes it and as runners' results are merged:
 * one format, `hopwhistle.loadtest/1`. What Node adds to it (servers, environment, verdict) is typed in
 * `bench/evidence/loadtest-result.ts`. `npm run results:schema` writes `results.schema.json` from both, which describes
 * the format for other tools and validates every result that is read. Annotations such as `@minimum` are for it.
 *
 * Nothing that can be computed is stored: merging two results puts their `runners` behind each other, and
 * totals, rates and percentiles are always worked out from the counters and buckets of all runners.
 */
import type { LiveShape, ProfileName, RequestShape, ScenarioName } from './contract.scenarios.ts'

export const RESULTS_FORMAT = 'hopwhistle.loadtest/1'

/**
 * Not empty.
 * @minLength 1
 */
export type Name = string

/**
 * RFC 3339.
 * @pattern ^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$
 */
export type Time = string

/** @minimum 0 */
export type Count = number

/** @exclusiveMinimum 0 */
export type AboveZero = number

/** What k6 measured, in one process or in several. */
export type K6Result = {
  readonly format: typeof RESULTS_FORMAT
  readonly scenario: ScenarioName
  readonly profile: ProfileName
  readonly runId: Name
  readonly target: { readonly url: Name }
  /**
   * How many k6 processes share the load. Fewer `runners` than this is an incomplete result.
   * @asType integer
   * @minimum 1
   */
  readonly expectedRunners: number
  readonly runners: readonly RunnerResult[]
  /** Of a run in Kubernetes: what became of the TestRun and of each of its pods. */
  readonly distributed?: DistributedRun
  readonly series?: readonly SeriesPoint[]
}

/** How k6-operator and Kubernetes carried a run out. They know of runners that left no result. */
export type DistributedRun = {
  readonly testRun: string
  readonly namespace: string
  /** Of the TestRun: another of the same name is another run. */
  readonly uid?: string
  /** The operator's last word: `finished` whatever the runners made of it, `error` when the script did not load. */
  readonly stage: string
  /** Why the operator or its initializer gave up, in their own words where they have any. */
  readonly failure?: string
  /** Set when the test run did not end in time: how long that was, and what else than its runners held it up. */
  readonly hung?: { readonly afterSeconds: Count; readonly allowedSeconds: Count; readonly because?: string }
  /** What the TestRun says now and its runners did not run with, a clause each. */
  readonly changed?: readonly string[]
  /** One for each runner that was asked for, in their order. */
  readonly runners: readonly RunnerPod[]
}

export type RunnerPod = {
  /** As in the runner's result: `1` to the parallelism. */
  readonly instance: Name
  /**
   * absent: no pod was made · unscheduled: no node takes it · waiting: its container did not start ·
   * running: not over when it was looked at last · ended: see `exitCode`
   */
  readonly state: 'absent' | 'unscheduled' | 'waiting' | 'running' | 'ended'
  /** In the words of Kubernetes: of the scheduler, of the kubelet, or of what refused the pod. */
  readonly reason?: string
  readonly pod?: string
  readonly node?: string
  /** @asType integer */
  readonly exitCode?: number
  readonly oomKilled?: boolean
  readonly memoryLimitBytes?: Count
  /** What it said last, when it ended with an error. */
  readonly lastWords?: string
}

/** What one k6 process measured. */
export type RunnerResult = {
  readonly instance: Name
  /** k6's execution segment, as `0:1/2`; absent when the process carried the whole load. */
  readonly segment?: string
  /** From the start of the scenario (not of k6, which first prepares its VUs) to the summary. */
  readonly startedAt: Time
  readonly endedAt: Time
  readonly k6: { readonly version?: string }
  /** The shape that was in force: of the whole test, never of one runner's share. */
  readonly settings: RunnerSettings
  /**
   * Cumulative counts. Names ending in `_ramp`, `_peak` or `_cool` count what was sent in that phase;
   * k6's own counters are there as `k6_…`. A counter that was never touched may be absent: read it as 0.
   */
  readonly counters: Readonly<Record<string, Count>>
  readonly histograms: Readonly<Record<string, HistogramData>>
  /** k6's own percentiles of this process: a cross-check, for they cannot be merged. */
  readonly trends: Readonly<Record<string, TrendData>>
  readonly thresholds: readonly ThresholdResult[]
  /**
   * k6's exit code; 128 and the signal's number when a signal ended it. Absent in what k6 itself writes.
   * @asType integer
   */
  readonly exitCode?: number
  /** Set when k6 left no result: its settings and times are those of the plan then, and its counts are not known. */
  readonly crash?: Crash
}

/** How a k6 ended that left no result. */
export type Crash = {
  readonly signal?: string
  /** Set when it was stopped because it still ran so long after its load was to be over. */
  readonly overdueSeconds?: Count
  /** What it said last. */
  readonly lastWords?: string
}

/** The shape of the scenario, and: */
export type RunnerSettings = Partial<Omit<RequestShape, 'targetPerSecond'>> &
  Partial<Omit<LiveShape, 'targetPerSecond'>> & {
    /** The rate to be reached, in updates, requests or messages a second. */
    readonly targetPerSecond: AboveZero
    /** The rate offered at the peak: a little above the target. */
    readonly offeredPerSecond: AboveZero
    /** How many k6 processes share the load. */
    readonly parallelism?: number
    /** How many tenants share the load; one if absent. */
    readonly tenants?: number
    /** Where each phase lies, in seconds after `startedAt`. */
    readonly phases: readonly PhaseSpan[]
  }

/** `ramp` rises to the full rate, `peak` is what is judged, `cool` is what comes after the last send. */
export type PhaseName = 'ramp' | 'peak' | 'cool'

export type PhaseSpan = { readonly name: PhaseName; readonly fromSeconds: Count; readonly toSeconds: Count }

/**
 * Counts of logarithmic buckets; `scenarios/lib/histogram.ts` reads them. Bucket i holds the values in
 * (minMs·γ^(i-1), minMs·γ^i] with γ = (1+e)/(1-e), e the relativeError; counts of equal shape add up.
 */
export type HistogramData = {
  readonly minMs: AboveZero
  /**
   * @exclusiveMinimum 0
   * @exclusiveMaximum 1
   */
  readonly relativeError: number
  /** `[bucket index, count]`, ascending by index, no empty buckets. */
  readonly counts: readonly (readonly [BucketIndex, BucketCount])[]
}

/**
 * @asType integer
 * @minimum 0
 */
export type BucketIndex = number

/**
 * @asType integer
 * @minimum 1
 */
export type BucketCount = number

/**
 * @asType integer
 * @minimum 0
 */
export type SampleCount = number

/**
 * @minimum 0
 * @maximum 100
 */
export type Percent = number

/** k6's own figures of one process, in ms. */
export type TrendData = {
  readonly unit: 'ms'
  readonly count: SampleCount
  readonly min: number
  readonly max: number
  readonly avg: number
  readonly med: number
  /** `[percentile in percent, value]`, ascending. */
  readonly percentiles: readonly (readonly [Percent, number])[]
}

export type ThresholdResult = { readonly metric: string; readonly expression: string; readonly ok: boolean }

/** One window of a running test: the difference of two merged snapshots of every runner's counters. */
export type SeriesPoint = {
  /** The window's end. */
  readonly at: Time
  readonly windowSeconds: AboveZero
  readonly counters: Readonly<Record<string, Count>>
  readonly histograms: Readonly<Record<string, HistogramData>>
}
