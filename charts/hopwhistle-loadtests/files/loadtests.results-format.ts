/**
 * The result of a load test, as k6's `handleSummary` writes it and as runners' results are merged:
 * one format, `hopwhistle.loadtest/1`, described for other tools by `results.schema.json`.
 *
 * Nothing that can be computed is stored: merging two results puts their `runners` behind each other, and
 * totals, rates and percentiles are always worked out from the counters and buckets of all runners.
 */
export const RESULTS_FORMAT = 'hopwhistle.loadtest/1'

export type LoadtestResult = {
  readonly format: typeof RESULTS_FORMAT
  /** One of the contract's `SCENARIOS`. */
  readonly scenario: string
  readonly profile: string
  readonly runId: string
  readonly target: { readonly url: string }
  /** How many k6 processes share the load. Fewer `runners` than this is an incomplete result. */
  readonly expectedRunners: number
  readonly runners: readonly RunnerResult[]
  /** Of a run in Kubernetes: what became of the TestRun and of each of its pods. */
  readonly distributed?: DistributedRun
  readonly series?: readonly SeriesPoint[]
  /**
   * Shorter runs at smaller rates, made because this one missed a target or is invalid; in the order in which they were
   * made. Their environment is that of this run.
   */
  readonly steps?: readonly LoadtestResult[]
  /** The run that was made before this one and that other programs, or the host, disturbed: this one repeats it. */
  readonly disturbed?: LoadtestResult
  readonly server?: Readonly<Record<string, unknown>>
  readonly environment?: Readonly<Record<string, unknown>>
  readonly verdict?: Readonly<Record<string, unknown>>
}

/** How k6-operator and Kubernetes carried a run out. They know of runners that left no result. */
export type DistributedRun = {
  readonly testRun: string
  readonly namespace: string
  /** The operator's last word: `finished` whatever the runners made of it, `error` when the script did not load. */
  readonly stage: string
  /** Why the operator or its initializer gave up, in their own words where they have any. */
  readonly failure?: string
  /** Set when the test run did not end in time: how long that was, and what else than its runners held it up. */
  readonly hung?: { readonly afterSeconds: number; readonly allowedSeconds: number; readonly because?: string }
  /** One for each runner that was asked for, in their order. */
  readonly runners: readonly RunnerPod[]
}

export type RunnerPod = {
  /** As in the runner's result: `1` to the parallelism. */
  readonly instance: string
  /**
   * absent: no pod was made · unscheduled: no node takes it · waiting: its container did not start ·
   * running: not over when it was looked at last · ended: see `exitCode`
   */
  readonly state: 'absent' | 'unscheduled' | 'waiting' | 'running' | 'ended'
  /** In the words of the scheduler, or of the kubelet. */
  readonly reason?: string
  readonly pod?: string
  readonly node?: string
  readonly exitCode?: number
  readonly oomKilled?: boolean
  readonly memoryLimitBytes?: number
  /** What it said last, when it ended with an error. */
  readonly lastWords?: string
}

/** What one k6 process measured. */
export type RunnerResult = {
  readonly instance: string
  /** k6's execution segment, as `0:1/2`; absent when the process carried the whole load. */
  readonly segment?: string
  /** RFC 3339. From the start of the scenario (not of k6, which first prepares its VUs) to the summary. */
  readonly startedAt: string
  readonly endedAt: string
  readonly k6: { readonly version?: string }
  /** The shape that was in force: of the whole test, never of one runner's share. */
  readonly settings: RunnerSettings
  /**
   * Cumulative counts. Names ending in `_ramp`, `_peak` or `_cool` count what was sent in that phase;
   * k6's own counters are there as `k6_…`. A counter that was never touched may be absent: read it as 0.
   */
  readonly counters: Readonly<Record<string, number>>
  readonly histograms: Readonly<Record<string, HistogramData>>
  /** k6's own percentiles of this process: a cross-check, for they cannot be merged. */
  readonly trends: Readonly<Record<string, TrendData>>
  readonly thresholds: readonly ThresholdResult[]
  /** k6's exit code; 128 and the signal's number when a signal ended it. Absent in what k6 itself writes. */
  readonly exitCode?: number
  /** Set when k6 left no result: its settings and times are those of the plan then, and its counts are not known. */
  readonly crash?: Crash
}

/** How a k6 ended that left no result. */
export type Crash = {
  readonly signal?: string
  /** Set when it was stopped because it still ran so long after its load was to be over. */
  readonly overdueSeconds?: number
  /** What it said last. */
  readonly lastWords?: string
}

export type RunnerSettings = {
  /** The rate to be reached, in updates, requests or messages a second. */
  readonly targetPerSecond: number
  /** The rate offered at the peak: a little above the target. */
  readonly offeredPerSecond: number
  /** Where each phase lies, in seconds after `startedAt`. */
  readonly phases: readonly PhaseSpan[]
  readonly [name: string]: unknown
}

/** `ramp` rises to the full rate, `peak` is what is judged, `cool` is what comes after the last send. */
export type PhaseName = 'ramp' | 'peak' | 'cool'

export type PhaseSpan = { readonly name: PhaseName; readonly fromSeconds: number; readonly toSeconds: number }

/** Counts of logarithmic buckets; `scenarios/lib/histogram.ts` reads them. Counts of equal shape add up. */
export type HistogramData = {
  readonly minMs: number
  readonly relativeError: number
  /** `[bucket index, count]`, ascending by index, no empty buckets. */
  readonly counts: readonly (readonly [number, number])[]
}

export type TrendData = {
  readonly unit: 'ms'
  readonly count: number
  readonly min: number
  readonly max: number
  readonly avg: number
  readonly med: number
  /** `[percentile in percent, value]`, ascending. */
  readonly percentiles: readonly (readonly [number, number])[]
}

export type ThresholdResult = { readonly metric: string; readonly expression: string; readonly ok: boolean }

/** One window of a running test: the difference of two merged snapshots of every runner's counters. */
export type SeriesPoint = {
  /** RFC 3339, the window's end. */
  readonly at: string
  readonly windowSeconds: number
  readonly counters: Readonly<Record<string, number>>
  readonly histograms: Readonly<Record<string, HistogramData>>
}
