/**
 * What findings are computed from: the evidence of one run, reduced to what the peak phase says. It is kept in the
 * baseline, so that the document can be written again without the raw result.
 *
 * Whatever was not measured is absent. Latencies in ms, CPU in cores, memory in bytes.
 */
import type { ScenarioName } from '@hopwhistle/contract/scenarios.ts'
import type { Stat } from './stat.ts'

export type Facts = {
  readonly scenario: ScenarioName
  readonly load: LoadFacts
  readonly machine?: MachineFacts
  readonly processes: readonly ProcessFacts[]
  /** Most CPU first. */
  readonly otherPrograms?: readonly OtherProgramFacts[]
  /** Of a run in a cluster, in the place of `machine` and `processes`. */
  readonly kubernetes?: KubernetesFacts
  readonly api?: ApiFacts
  readonly postgres?: PostgresFacts
  readonly redis?: RedisFacts
  readonly worst?: WorstWindow
  /** What could not be sampled, a sentence each. */
  readonly omitted: readonly string[]
}

export type Percentiles = {
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

export type LoadFacts = {
  readonly rampSeconds: number
  readonly peakSeconds: number
  readonly settings: Readonly<Record<string, number>>
  /** Of the peak. */
  readonly sent: number
  readonly ok: number
  readonly failed: number
  /** Of the whole run. */
  readonly sentInAll: number
  readonly okInAll: number
  readonly latency?: Percentiles
  /** Reports by what was asked for. */
  readonly endpoints?: readonly ({ readonly name: string; readonly count: number } & Percentiles)[]
  readonly delivery?: DeliveryFacts
}

export type DeliveryFacts = {
  readonly due: number
  readonly delivered: number
  readonly lost: number
  readonly duplicated: number
  readonly reordered: number
  readonly frames: number
  readonly subscribers: number
  readonly reconnected: number
  /** From the publisher's post to its answer. */
  readonly publish?: Percentiles
  /** Between the network and the handler, inside k6: a part of the latency. */
  readonly receiveLag?: Percentiles
  /** How late the generator sent. */
  readonly scheduleLag?: Percentiles
}

export type MachineFacts = {
  /** That the run could use: those of the machine, or what its CPU quota allows of them. */
  readonly cores: number
  /** Of a run under a CPU quota: the part of the kernel's periods in which it was stopped for having used it up. */
  readonly throttled?: Stat
  readonly busyCores: Stat
  readonly iowaitCores?: Stat
  readonly stealCores?: Stat
  readonly memoryTotalBytes: number
  readonly memoryUsedBytes?: Stat
  readonly diskBusy?: Stat
  readonly diskWriteBytesPerSecond?: Stat
  readonly loopbackBytesPerSecond?: Stat
}

/** A program that is no part of the measurement, in cores on average. */
export type OtherProgramFacts = { readonly name: string; readonly cores: number }

export type ProcessFacts = {
  readonly name: string
  readonly kind: 'k6' | 'api' | 'postgres' | 'redis' | 'sampler'
  readonly cpuCores: Stat
  readonly memoryBytes?: Stat
  readonly openFiles?: Stat
}

export type KubernetesFacts = {
  readonly nodes: readonly { readonly name: string; readonly cores: number; readonly cpuCores: Stat }[]
  readonly pods: readonly {
    readonly pod: string
    readonly kind: 'k6' | 'api' | 'postgres' | 'redis'
    readonly cpuCores: Stat
    readonly memoryBytes?: Stat
    readonly cpuLimitCores?: number
    readonly memoryLimitBytes?: number
  }[]
}

export type ApiFacts = {
  readonly instances: number
  readonly eventLoop: readonly ({ readonly instance: string } & Stat)[]
  /** By the names of the contract: the limit, and the most that any one instance used of it. */
  readonly limits: Readonly<Record<string, number>>
  readonly usage: Readonly<Record<string, Stat>>
  /** The busiest instance's. */
  readonly pools: readonly PoolFacts[]
  readonly ingest?: {
    readonly batches: number
    readonly events: number
    readonly meanBatch: number
    readonly meanCommitMs: number
    /** The edge that 99 % of the commits stay below. */
    readonly p99CommitBelowMs?: number
    readonly queue?: Stat
    readonly retries: number
    readonly byOutcome: Readonly<Record<string, number>>
  }
  readonly reports?: {
    readonly bySource: Readonly<Record<string, number>>
    readonly byCache: Readonly<Record<string, number>>
  }
  readonly live?: {
    readonly delivered: number
    readonly frames: number
    readonly published: number
    readonly publishFailed: number
    readonly meanDelayMs?: number
    readonly p95DelayBelowMs?: number
    readonly sockets?: Stat
    readonly closed: Readonly<Record<string, number>>
  }
  readonly replicaLagSeconds?: Stat
  readonly replicaLagBytes?: Stat
  /** Requests and sockets refused, by reason. */
  readonly rejected: Readonly<Record<string, number>>
  /** What the scenario's requests took inside the API; an edge is what so many stayed below. */
  readonly requests?: {
    readonly meanMs: number
    readonly p50BelowMs?: number
    readonly p95BelowMs?: number
    readonly p99BelowMs?: number
  }
}

export type PoolFacts = {
  readonly pool: string
  readonly busy?: Stat
  readonly open?: Stat
  readonly waiting?: Stat
}

export type PostgresFacts = {
  readonly version: string
  readonly maxConnections?: number
  readonly connections?: Stat
  readonly waitingForLock?: Stat
  readonly activity: {
    /** Sessions at work at any moment, on average. */
    readonly meanActive: number
    readonly samples: number
    readonly waits: readonly WaitFacts[]
  }
  readonly statements: readonly {
    readonly query: string
    readonly calls: number
    readonly totalMs: number
    readonly meanMs: number
    readonly maxMs: number
  }[]
  /** Of all statements of all clients. */
  readonly statementMs: number
  readonly slowestStatementMs?: number
  readonly commitsPerSecond?: Stat
  /** 0 to 1. */
  readonly cacheHitRatio?: number
  readonly hotRatio?: number
  readonly walBytesPerSecond?: Stat
  readonly walSyncs?: number
  readonly walMeanSyncMs?: number
  readonly checkpoints?: number
  readonly deadlocks: number
  readonly sizeBytesAtEnd: number
  readonly replica?: {
    readonly lagBytes?: Stat
    readonly lagMs?: Stat
    readonly conflicts: number
    readonly cacheHitRatio?: number
    readonly slowestStatementMs?: number
    readonly connections?: Stat
    readonly statements: PostgresFacts['statements']
    readonly statementMs: number
  }
  readonly rowsOfRun?: { readonly events: number; readonly calls: number }
}

export type WaitFacts = { readonly pool: string; readonly event: string; readonly samples: number }

export type RedisFacts = {
  readonly version: string
  readonly maxClients: number
  readonly maxMemoryBytes: number
  readonly clients?: Stat
  readonly memoryBytes?: Stat
  readonly cpuCores?: Stat
  readonly commandsPerSecond?: Stat
  readonly outputBytesPerSecond?: Stat
  readonly channels?: Stat
  readonly largestOutputBufferBytes?: Stat
  readonly evictedKeys: number
  readonly rejectedConnections: number
}

/** The window of the peak with the highest p99, and by what it stood out. */
export type WorstWindow = {
  /** After the start of the scenario. */
  readonly atSeconds: number
  readonly windowSeconds: number
  readonly p99: number
  /** Of all windows of the peak. */
  readonly typicalP99: number
  /** What was at least half as high again as usual then, most unusual first. */
  readonly unusual: readonly {
    readonly what: string
    readonly value: number
    readonly usual: number
    readonly unit: 'cores' | 'bytes/s' | 'ratio' | 'bytes' | 'count'
  }[]
}
