/**
 * What was seen of the servers while a scenario ran: `server` in a result.
 *
 * Everything over time is a `Series` along `atSeconds`. What only grows (requests, bytes, commits) is stored as its
 * rate per second since the sample before, never as a total, so that a reader has nothing to subtract. Totals are over
 * the whole run, ramp included; a reader who wants the peak alone cuts the series by the runners' `phases`.
 */
export const SERVER_EVIDENCE_FORMAT = 'hopwhistle.server/1'

/**
 * One value per sample, null where there was no answer; or one number for a value that never changed.
 */
export type Series = number | readonly (number | null)[]

export type ServerEvidence = {
  readonly format: typeof SERVER_EVIDENCE_FORMAT
  /** RFC 3339. */
  readonly startedAt: string
  readonly endedAt: string
  /** Of each sample, after `startedAt`. */
  readonly atSeconds: readonly number[]
  /** Linux only. */
  readonly machine?: MachineEvidence
  /** Linux only, and only what runs on this machine. */
  readonly processes: readonly ProcessEvidence[]
  /** Programs on this machine that are none of `processes`: those that used the most CPU, most first. Linux only. */
  readonly otherPrograms?: readonly OtherProgramEvidence[]
  /** Of those that answered. */
  readonly api: readonly ApiEvidence[]
  /** API instances that were to be sampled; fewer in `api` are ones that never answered. */
  readonly apiInstances?: number
  readonly postgres?: {
    readonly primary: PostgresEvidence
    readonly replica?: PostgresEvidence
    /** What the run left in the database, counted after its end by the run's id, which begins every id. */
    readonly rowsOfRun?: RowsOfRun
  }
  readonly redis?: RedisEvidence
  /** In Kubernetes only, in the place of `machine` and `processes`. */
  readonly kubernetes?: KubernetesEvidence
  /** The id of which `rowsOfRun` was to be counted; absent where ids may be those of other runs as well. */
  readonly rowsOfRunId?: string
  /** What could not be sampled, a sentence each. */
  readonly omitted: readonly string[]
}

export type RowsOfRun = { readonly events: number; readonly calls: number }

export type MachineEvidence = {
  readonly cores: number
  /** The CPU quota that all of the processes below share; absent where none is below `cores`. */
  readonly quota?: {
    readonly cores: number
    /** Of the kernel's periods, the part in which it stopped them for having used up the quota: 0 to 1. */
    readonly throttled: Series
  }
  /** In cores: all of them add up to `cores`. */
  readonly cpuCores: {
    readonly user: Series
    readonly system: Series
    readonly iowait: Series
    readonly steal: Series
    readonly idle: Series
  }
  readonly memoryTotalBytes: number
  readonly memoryAvailableBytes: Series
  /** Over all disks of the machine; `busy` is the share of the time that the busiest one worked, 0 to 1. */
  readonly disk: {
    readonly readBytesPerSecond: Series
    readonly writeBytesPerSecond: Series
    readonly busy: Series
  }
  readonly loopback: { readonly bytesPerSecond: Series; readonly packetsPerSecond: Series }
}

/** One server with all its processes. */
export type ProcessEvidence = {
  /** k6, api-1, api-2, …, postgres primary, postgres replica, redis, sampler */
  readonly name: string
  readonly kind: 'k6' | 'api' | 'postgres' | 'redis' | 'sampler'
  readonly cpuCores: Series
  /** Memory of its own; what its processes share is counted once. */
  readonly memoryBytes: Series
  readonly processes: Series
  readonly threads: Series
  readonly openFiles: Series
  readonly diskReadBytesPerSecond: Series
  readonly diskWriteBytesPerSecond: Series
}

/** All programs of one name. Never their arguments, which may hold secrets. */
export type OtherProgramEvidence = { readonly name: string; readonly cpuCores: Series }

/**
 * What kubelets tell of the pods that took part, and of their nodes. They look every 10 to 15 s: between two looks a
 * series is null, and each value is of the time since the look before.
 */
export type KubernetesEvidence = { readonly nodes: readonly NodeEvidence[]; readonly pods: readonly PodEvidence[] }

export type NodeEvidence = { readonly name: string; readonly cores: number; readonly cpuCores: Series }

export type PodEvidence = {
  readonly pod: string
  readonly kind: 'k6' | 'api' | 'postgres' | 'redis'
  readonly node: string
  readonly cpuCores: Series
  /** What its memory limit counts. */
  readonly memoryBytes: Series
  /** Of the kernel's periods of 100 ms, the part in which it was stopped for having used up its CPU limit: 0 to 1. */
  readonly throttled: Series
  /** Absent without a limit. */
  readonly cpuLimitCores?: number
  readonly memoryLimitBytes?: number
}

/**
 * The metrics of one API instance, by the names of contract/metrics.ts, with labels as Prometheus writes them:
 * `hopwhistle_usage{resource="websockets"}`.
 */
export type ApiEvidence = {
  readonly instance: string
  /** How many samples it did not answer. */
  readonly unanswered: number
  readonly gauges: Readonly<Record<string, Series>>
  readonly ratesPerSecond: Readonly<Record<string, Series>>
  /** What each counter grew by from the first sample to the last. */
  readonly totals: Readonly<Record<string, number>>
  readonly histograms: Readonly<Record<string, HistogramGrowth>>
  /** `hopwhistle_limit{resource}` by resource, and the usage of the same name over time. */
  readonly limits: Readonly<Record<string, number>>
  readonly usage: Readonly<Record<string, Series>>
}

/** What a Prometheus histogram grew by. `counts[i]` is of (edges[i-1], edges[i]], the last one of what is above. */
export type HistogramGrowth = {
  readonly edges: readonly number[]
  readonly counts: readonly number[]
  readonly count: number
  readonly sum: number
}

export type PostgresEvidence = {
  readonly version: string
  readonly settings: Readonly<Record<string, string>>
  /** Client connections: all, and by what they were doing. */
  readonly connections: {
    readonly total: Series
    readonly active: Series
    readonly idle: Series
    readonly idleInTransaction: Series
    readonly waitingForLock: Series
  }
  /** Looked at several times a second: what each active session was at, most frequent first. */
  readonly activity: { readonly looks: number; readonly busySamples: number; readonly waits: readonly WaitSamples[] }
  readonly statements: readonly StatementEvidence[]
  readonly database: {
    readonly commitsPerSecond: Series
    readonly rollbacksPerSecond: Series
    readonly rowsReadPerSecond: Series
    readonly rowsWrittenPerSecond: Series
    readonly blocksReadPerSecond: Series
    readonly blocksHitPerSecond: Series
    readonly tempBytesPerSecond: Series
    readonly deadlocks: number
    readonly conflicts: number
    readonly sizeBytesAtStart: number
    readonly sizeBytesAtEnd: number
  }
  /** Of a primary: what it wrote. Of a replica: what it replayed. */
  readonly walBytesPerSecond: Series
  /** Primary only. `syncMs` is the time spent in fsync. */
  readonly wal?: {
    readonly records: number
    readonly fullPageImages: number
    readonly buffersFull: number
    readonly writes: number
    readonly syncs: number
    readonly writeMs: number
    readonly syncMs: number
  }
  /** Primary only. */
  readonly checkpoints?: {
    readonly timed: number
    readonly requested: number
    readonly writeMs: number
    readonly syncMs: number
    readonly buffersWritten: number
  }
  /** Reads and writes by who did them; Postgres 16 or newer. */
  readonly io?: readonly IoEvidence[]
  /** Primary only, of the whole run, the most written first; partitions are counted with their table. */
  readonly tables?: readonly TableEvidence[]
  /** Primary only: how far its replica was behind. */
  readonly replication?: { readonly replicas: Series; readonly lagBytes: Series; readonly replayLagMs: Series }
}

export type WaitSamples = {
  /** `client backend`, `walwriter`, `checkpointer`, … */
  readonly backend: string
  /** The API's pool, `ingest`, `upkeep`, `reports-primary`, `reports-replica`; else the application's name. */
  readonly pool: string
  /** `Type:Event` as `IO:WalSync`; `CPU` when it was waiting for nothing. */
  readonly event: string
  readonly samples: number
}

/** One normalized statement, by total time. */
export type StatementEvidence = {
  readonly query: string
  /** False for a statement inside a procedure or function: its time is also in the one that called it. */
  readonly toplevel: boolean
  readonly calls: number
  readonly rows: number
  readonly totalMs: number
  readonly meanMs: number
  readonly maxMs: number
  readonly blocksHit: number
  readonly blocksRead: number
  readonly blocksDirtied: number
  readonly tempBlocksWritten: number
  readonly walBytes: number
}

export type TableEvidence = {
  readonly name: string
  readonly inserts: number
  readonly updates: number
  /** Those of the updates that needed no new index entry. */
  readonly hotUpdates: number
  readonly deletes: number
}

export type IoEvidence = {
  readonly backend: string
  readonly object: string
  readonly context: string
  readonly reads: number
  readonly readMs: number
  readonly writes: number
  readonly writeMs: number
  readonly extends: number
  readonly fsyncs: number
  readonly fsyncMs: number
  readonly hits: number
  readonly evictions: number
}

export type RedisEvidence = {
  readonly version: string
  readonly maxMemoryBytes: number
  readonly maxClients: number
  readonly maxMemoryPolicy: string
  readonly clients: Series
  readonly blockedClients: Series
  readonly memoryBytes: Series
  readonly commandsPerSecond: Series
  readonly inputBytesPerSecond: Series
  readonly outputBytesPerSecond: Series
  readonly channels: Series
  readonly patterns: Series
  readonly shardChannels: Series
  readonly cpuCores: Series
  /** The longest output queue of any client, as Redis reports it for the last seconds. */
  readonly largestOutputBufferBytes: Series
  readonly evictedKeys: number
  readonly expiredKeys: number
  readonly rejectedConnections: number
  readonly keyspaceHits: number
  readonly keyspaceMisses: number
  readonly commands: readonly RedisCommandEvidence[]
}

export type RedisCommandEvidence = {
  readonly command: string
  readonly calls: number
  readonly meanMicroseconds: number
  /** Absent on a Redis older than 7. */
  readonly p99Microseconds?: number
  readonly failed: number
}

/** The values of a series, one per sample, with what was not answered left out. */
export function valuesOf(series: Series, samples: number): readonly number[] {
  if (typeof series === 'number') return Array.from({ length: samples }, () => series)
  return series.filter((value) => value !== null)
}

/** @returns undefined when nothing was ever answered */
export function peakOf(series: Series | undefined): number | undefined {
  if (series === undefined || typeof series === 'number') return series
  return series.reduce<number | undefined>(
    (peak, value) => (value !== null && (peak === undefined || value > peak) ? value : peak),
    undefined,
  )
}

/** @returns undefined when nothing was ever answered */
export function meanOf(series: Series | undefined): number | undefined {
  if (series === undefined || typeof series === 'number') return series
  const values = series.filter((value) => value !== null)
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length
}
