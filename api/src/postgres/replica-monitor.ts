/**
 * Knows how far the replica is, and chooses where each report is read.
 *
 *            near enough             lags by more time or bytes than allowed
 *   gone ────────────────────▶ up ──────────────────────────────────────────▶ behind
 *    ▲ │                       │ ◀──────────────────────────────────────────    │ ▲
 *    │ │                       │              back to half of that              │ │
 *    │ └───────────────────────┼─ answers, but too far behind ──────────────────┼─┘
 *    └────────────────────── no answer ─────────────────────────────────────────┘
 *
 *   up      reports read it; one that carries a position waits until the replica is there, else reads the primary
 *   behind  left alone until it is back; read only while the primary does not answer
 *   gone    left alone; tried again after 0.2 s, then ever later, up to 5 s. Also the state before its first answer
 *
 * Both servers are asked where they are often while reports are read, and now and then otherwise:
 *
 *   resting ──a report──▶ watching ──a second without one──▶ resting
 *
 *   resting   asked once a second, and at once when a connection to the primary breaks, so that a server that goes away or falls
 *             behind is noticed
 *   watching  asked every 0.2 s. The report that ends a rest waits for the answers, about a millisecond, so that it is read where
 *             it should be and its `asOf` is not the older for the rest; it waits `reportWaitMs` at most
 *
 * Nobody gets an error because of the replica. Without one, everything is read from the primary.
 *
 * DATABASE_REPLICA_URL must lead to one server: what is known of one replica says nothing about another.
 */
import type { Pool } from 'pg'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { untilBeatMs } from '../timing/beat.ts'
import { withinMs } from '../timing/within-ms.ts'
import type { Postgres } from './open-postgres.ts'
import { createPositionWaiters } from './position-waiters.ts'
import { repeating } from './repeating.ts'
import { createReplicaLink } from './replica-link.ts'
import { createReplicaProgress } from './replica-progress.ts'
import type { WalPosition } from './wal-position.ts'
import { parseWalPosition } from './wal-position.ts'

export type ReplicaMonitorSettings = {
  readonly reportWaitMs: number
  readonly replicaMaxLagMs: number
  readonly replicaMaxLagBytes: number
}

/** Where to read, and what reading there shows. */
export type ReadFrom = {
  readonly pool: Pool
  readonly source: 'replica' | 'primary'
  /** Everything committed by then is there. */
  readonly asOf: Date
  /**
   * Everything up to this position is there. Unknown for the primary: a commit is flushed a moment before it can
   * be seen, so no position tells what a snapshot of the primary has.
   */
  readonly position: WalPosition | undefined
  /** Aborted when the server is found gone: whoever still waits for it need not. */
  readonly lost?: AbortSignal
}

export type ReplicaMonitor = {
  /** Where to read what must not be older than `position`. Waits `reportWaitMs` at most; never rejects. */
  choose(position?: WalPosition): Promise<ReadFrom>
  /** Where else to read after `failed` did: undefined when nothing else can show `position`. Looks after `failed`. */
  otherThan(failed: ReadFrom, position?: WalPosition): ReadFrom | undefined
  isUp(): boolean
  primaryIsUp(): boolean
  /** Asks both servers now, and so sets the metrics. Waits for half a second at most; never rejects. */
  look(): Promise<void>
  stop(): void
}

const SAMPLE_MS = 200
/**
 * A replica looks later than it is by the time between two questions, at most. So at rest the time is no more than this
 * share of the lag that is allowed.
 */
const REST_PER_LAG = 0.1
/** After the last report. */
const WATCH_FOR_MS = 1_000
const LOOK_WITHIN_MS = 500
const ANSWER_TIMEOUT_MS = 2_000
const BACKOFF_MAX_MS = 5_000
/** A replica at its limit would be left and taken again at every sample; it is taken again at half of it. */
const BACK_AT = 0.5

type State = 'gone' | 'behind' | 'up'

export function createReplicaMonitor(deps: {
  readonly postgres: Pick<Postgres, 'upkeep' | 'reportsPrimary' | 'reportsReplica'>
  readonly settings: ReplicaMonitorSettings
  readonly metrics: Pick<Metrics, 'replicaLagSeconds' | 'replicaLagBytes' | 'replicaUp'>
  readonly log: Pick<Log, 'info' | 'warn'>
}): ReplicaMonitor {
  const { postgres, settings, metrics, log } = deps
  const progress = createReplicaProgress()
  let primaryUp = false
  let primaryFailures = 0
  let replicaAnswers = false
  let replicaFailures = 0
  let state: State = 'gone'
  let lost = new AbortController()
  const longestRestMs = Math.max(SAMPLE_MS, settings.replicaMaxLagMs * REST_PER_LAG)
  let lastReportAtMs = Number.NEGATIVE_INFINITY
  let waking: Promise<unknown> | undefined

  const link =
    postgres.reportsReplica &&
    createReplicaLink(postgres.reportsReplica, ANSWER_TIMEOUT_MS, {
      opened: progress.forgetReplica,
      replayed: (position) => {
        if (progress.noteReplayed(position)) waiters.reached(position)
      },
      closed: (error) => {
        replicaAnswers = false
        waiters.giveUp()
        lost.abort(new Error('the replica no longer answers', { cause: error }))
        lost = new AbortController()
        enter('gone', error)
      },
    })
  const waiters = createPositionWaiters(async () => void (await link?.ask()))

  function enter(next: State, error?: Error): void {
    metrics.replicaUp.set(next === 'up' ? 1 : 0)
    if (next === state) return
    const lag = { lagMs: progress.lagMs(), lagBytes: progress.lagBytes() }
    if (next === 'up') log.info(lag, 'reports read the replica')
    else if (next === 'behind') log.warn(lag, 'the replica is too far behind: reports leave it alone')
    else log.warn({ err: error }, 'the replica does not answer: reports leave it alone')
    state = next
    if (next !== 'up') waiters.giveUp()
  }

  function judge(): void {
    // Before the primary was first asked there is nothing to compare with.
    if (!replicaAnswers || !(primaryUp || primaryFailures > 0)) return
    const allowed = state === 'behind' ? BACK_AT : 1
    const near =
      progress.lagMs() <= settings.replicaMaxLagMs * allowed &&
      progress.lagBytes() <= settings.replicaMaxLagBytes * allowed
    enter(near ? 'up' : 'behind')
    metrics.replicaLagBytes.set(progress.lagBytes())
    const asOfMs = progress.asOfMs()
    if (asOfMs !== undefined) metrics.replicaLagSeconds.set((Date.now() - asOfMs) / 1000)
  }

  const isWatching = () => performance.now() - lastReportAtMs < WATCH_FOR_MS

  /** Until a server is asked again that failed to answer the last so many times. */
  function pauseMs(failures: number): number {
    if (failures > 0) return Math.min(SAMPLE_MS * 2 ** (failures - 1), BACKOFF_MAX_MS)
    return link !== undefined && isWatching() ? SAMPLE_MS : Math.min(untilBeatMs(), longestRestMs)
  }

  const primarySampler = repeating(async () => {
    const askedAtMs = Date.now()
    const position = await askPrimary(postgres.upkeep)
    primaryUp = position !== undefined
    primaryFailures = primaryUp ? 0 : primaryFailures + 1
    if (position !== undefined) progress.notePrimary(askedAtMs, position)
    judge()
    return pauseMs(primaryFailures)
  })
  const replicaSampler =
    link &&
    repeating(async () => {
      replicaAnswers = await link.ask()
      replicaFailures = replicaAnswers ? 0 : replicaFailures + 1
      judge()
      return pauseMs(replicaFailures)
    })
  const primaryLost = () => void primarySampler.now()
  postgres.upkeep.on('error', primaryLost)
  if (link === undefined) {
    for (const gauge of [metrics.replicaUp, metrics.replicaLagBytes, metrics.replicaLagSeconds]) gauge.remove()
  }

  /** One after the other: when the replica is asked, it has replayed what the primary has just said, as a rule. */
  async function look(): Promise<void> {
    if (primaryUp) await primarySampler.now()
    await replicaSampler?.now()
  }

  /** Notes that a report is read, and ends a rest. */
  async function watch(): Promise<void> {
    const wasWatching = isWatching()
    lastReportAtMs = performance.now()
    if (!wasWatching && state !== 'gone') {
      waking = withinMs(look(), settings.reportWaitMs).finally(() => {
        waking = undefined
      })
    }
    await waking
  }

  const fromPrimary = (): ReadFrom => ({
    pool: postgres.reportsPrimary,
    source: 'primary',
    asOf: new Date(),
    position: undefined,
  })
  const fromReplica = (): ReadFrom => ({
    pool: postgres.reportsReplica as Pool,
    source: 'replica',
    asOf: new Date(progress.asOfMs() ?? 0),
    position: progress.replayed(),
    lost: lost.signal,
  })
  const shows = (position: WalPosition | undefined) => position === undefined || position <= progress.replayed()

  return {
    choose: async (position) => {
      const startedAtMs = performance.now()
      await watch()
      const usable = state === 'up' || (state === 'behind' && !primaryUp)
      if (!usable) return fromPrimary()
      if (shows(position)) return fromReplica()
      const leftMs = Math.max(0, settings.reportWaitMs - (performance.now() - startedAtMs))
      const there = await waiters.wait(position as WalPosition, leftMs)
      return there ? fromReplica() : fromPrimary()
    },
    otherThan: (failed, position) => {
      if (failed.source === 'replica') {
        void replicaSampler?.now()
        return fromPrimary()
      }
      void primarySampler.now()
      return state !== 'gone' && shows(position) ? fromReplica() : undefined
    },
    isUp: () => state === 'up',
    primaryIsUp: () => primaryUp,
    look: async () => void (await withinMs(look(), LOOK_WITHIN_MS)),
    stop: () => {
      postgres.upkeep.off('error', primaryLost)
      primarySampler.stop()
      replicaSampler?.stop()
      waiters.giveUp()
      link?.close()
    },
  }
}

/** Flushed, not inserted: what is not flushed never reaches a replica. */
async function askPrimary(pool: Pick<Pool, 'query'>): Promise<WalPosition | undefined> {
  const query = { text: 'select pg_current_wal_flush_lsn()::text as position', query_timeout: ANSWER_TIMEOUT_MS }
  return pool.query<{ position: string }>(query).then(
    ({ rows }) => parseWalPosition(rows[0]?.position ?? ''),
    () => undefined,
  )
}
