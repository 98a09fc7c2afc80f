/**
 * Chooses where each report is read: on a replica, if that shows what it must, or on the primary.
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
 * Several replicas may share the address. One of them is asked, over a connection of its own, and has these states; they say
 * whether reading is worth a try, and how long a position is waited for. What may be read is decided on the connection that
 * reads: its own server must have the position and be near enough, else the report is read on the primary. A server too far
 * behind is left by closing the connection, and so is the one that is asked, so that the next may lead to a better one.
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
 */
import type { QueryConfig } from 'pg'
import { explainConnection, explained } from '../telemetry/explain-connection.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { untilBeatMs } from '../timing/beat.ts'
import { repeat } from '../timing/repeat.ts'
import { withinMs } from '../timing/within-ms.ts'
import type { Postgres } from './open-postgres.ts'
import { createPositionWaiters } from './position-waiters.ts'
import { createPrimaryNotes } from './primary-notes.ts'
import { NotPrimary } from './primary-server.ts'
import { createReplicaLink } from './replica-link.ts'
import { createReplicaReads, ReplicaLate, type ReplicaReads } from './replica-reads.ts'
import type { WalPosition } from './wal-position.ts'

export type ReplicaMonitorSettings = {
  readonly reportWaitMs: number
  readonly replicaMaxLagMs: number
  readonly replicaMaxLagBytes: number
}

/** Where an answer was read, and what reading there showed. */
export type ReadFrom = {
  readonly source: 'replica' | 'primary'
  /** Everything committed by then is in the answer. */
  readonly asOf: Date
  /**
   * Everything up to this position is in the answer. Unknown for the primary: a commit is flushed a moment before it can
   * be seen, so no position tells what a snapshot of the primary has.
   */
  readonly position: WalPosition | undefined
}

export type Reader = {
  readonly source: ReadFrom['source']
  /** @throws {ReplicaLate} the replica that was reached is not as far as it must be; otherwise what `pg` throws */
  read<Row>(query: QueryConfig): Promise<{ readonly rows: readonly Row[]; readonly from: ReadFrom }>
}

export type ReplicaMonitor = {
  /** Where to read what must not be older than `position`. Waits `reportWaitMs` at most; never rejects. */
  choose(position?: WalPosition): Promise<Reader>
  /** Where else to read after `failed` did: undefined when nothing else can show `position`. Looks after `failed`. */
  otherThan(failed: Reader, position: WalPosition | undefined, error: unknown): Reader | undefined
  /** What a replica shows that has replayed that much, which must not be older than `position`. @throws {ReplicaLate} */
  shownBy(replayed: WalPosition, position?: WalPosition): ReadFrom
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
  readonly postgres: Pick<Postgres, 'upkeep' | 'reportsPrimary' | 'reportsReplica' | 'primary'>
  readonly settings: ReplicaMonitorSettings
  readonly metrics: Pick<Metrics, 'replicaLagSeconds' | 'replicaLagBytes' | 'replicaUp'>
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>
}): ReplicaMonitor {
  const { postgres, settings, metrics, log } = deps
  const notes = createPrimaryNotes()
  /** By the replica that is asked; 0 while nothing is known of it. */
  let replayed: WalPosition = 0n
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
      opened: () => {
        replicaAnswers = false
        replayed = 0n
      },
      replayed: (position) => {
        replicaAnswers = true
        told.delete('DATABASE_REPLICA_URL')
        if (position > replayed) replayed = position
        waiters.reached(position)
      },
      closed: (error) => {
        replicaAnswers = false
        replayed = 0n
        waiters.giveUp()
        letGo(error)
        // One that answered before is spoken of when its state changes.
        if (state === 'gone') tell('DATABASE_REPLICA_URL', error)
        enter('gone', error)
      },
    })
  const reads =
    postgres.reportsReplica &&
    createReplicaReads(postgres.reportsReplica, {
      askEveryMs: SAMPLE_MS,
      answerTimeoutMs: ANSWER_TIMEOUT_MS,
      onSilent: letGo,
    })
  const waiters = createPositionWaiters(async () => void (await link?.ask()))

  /** Reports that still wait for a replica are read elsewhere. */
  function letGo(error: Error): void {
    lost.abort(new Error('the replica no longer answers', { cause: error }))
    lost = new AbortController()
  }

  function enter(next: State, error?: Error): void {
    metrics.replicaUp.set(next === 'up' ? 1 : 0)
    if (next === state) return
    const lag = { lagMs: notes.lagMs(replayed), lagBytes: notes.lagBytes(replayed) }
    if (next === 'up') log.info(lag, 'reports read the replica')
    else if (next === 'behind') log.warn(lag, 'the replica is too far behind: reports leave it alone')
    else log.warn({ err: error }, 'the replica does not answer: reports leave it alone')
    state = next
    if (next !== 'up') waiters.giveUp()
  }

  const isNear = (position: WalPosition, allowed = 1) =>
    notes.lagMs(position) <= settings.replicaMaxLagMs * allowed &&
    notes.lagBytes(position) <= settings.replicaMaxLagBytes * allowed

  function judge(): void {
    // Before the primary was first asked there is nothing to compare with.
    if (!replicaAnswers || !(primaryUp || primaryFailures > 0)) return
    const near = isNear(replayed, state === 'behind' ? BACK_AT : 1)
    enter(near ? 'up' : 'behind')
    if (!near) link?.move()
    metrics.replicaLagBytes.set(notes.lagBytes(replayed))
    const asOfMs = notes.asOfMs(replayed)
    if (asOfMs !== undefined) metrics.replicaLagSeconds.set((Date.now() - asOfMs) / 1000)
  }

  const isWatching = () => performance.now() - lastReportAtMs < WATCH_FOR_MS

  /** Until a server is asked again that failed to answer the last so many times. */
  function pauseMs(failures: number): number {
    if (failures > 0) return Math.min(SAMPLE_MS * 2 ** (failures - 1), BACKOFF_MAX_MS)
    return link !== undefined && isWatching() ? SAMPLE_MS : Math.min(untilBeatMs(), longestRestMs)
  }

  /** Why the primary was not reached, and that of the replica; each is said once, until it answers again. */
  const told = new Map<string, string>()
  function tell(setting: 'DATABASE_URL' | 'DATABASE_REPLICA_URL', error: unknown): undefined {
    const why = explainConnection(setting, error)
    if (told.get(setting) === why.reason) return
    told.set(setting, why.reason)
    log.error({ err: error, ...why }, `not reached: ${explained(why)}`)
  }

  const primarySampler = repeat(async () => {
    const askedAtMs = Date.now()
    const position = await postgres.primary.ask(postgres.upkeep).catch((error: unknown) => tell('DATABASE_URL', error))
    primaryUp = position !== undefined
    primaryFailures = primaryUp ? 0 : primaryFailures + 1
    if (position !== undefined) {
      notes.note(askedAtMs, position)
      if (told.delete('DATABASE_URL')) log.info('the primary answers')
    }
    judge()
    return pauseMs(primaryFailures)
  }, 0)
  const replicaSampler =
    link &&
    repeat(async () => {
      replicaAnswers = await link.ask()
      replicaFailures = replicaAnswers ? 0 : replicaFailures + 1
      judge()
      return pauseMs(replicaFailures)
    }, 0)
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

  const fromPrimary = (): Reader => ({
    source: 'primary',
    read: async <Row>(query: QueryConfig) => {
      if (postgres.primary.isStandby()) throw new NotPrimary()
      const asOf = new Date()
      const { rows } = await postgres.reportsPrimary.query(query)
      return { rows: rows as Row[], from: { source: 'primary', asOf, position: undefined } }
    },
  })
  /** @param anyAge however old it is, it is better than nothing */
  function whyLate(shown: WalPosition, position: WalPosition | undefined, anyAge: boolean): ReplicaLate | undefined {
    if (!anyAge && primaryUp && !isNear(shown)) return new ReplicaLate('the replica is too far behind', true)
    if (!shows(shown, position)) return new ReplicaLate('the replica has not replayed the position', false)
    return undefined
  }
  const readFrom = (shown: WalPosition): ReadFrom => ({
    source: 'replica',
    asOf: new Date(notes.asOfMs(shown) ?? 0),
    position: shown,
  })
  const fromReplica = (position: WalPosition | undefined, anyAge: boolean): Reader => {
    // Of now, and not of the read: a report whose turn comes after the replica was lost does not wait for it once more.
    const { signal } = lost
    return {
      source: 'replica',
      read: async <Row>(query: QueryConfig) => {
        const refuse = (shown: WalPosition) => whyLate(shown, position, anyAge)
        const { rows, replayed: shown } = await (reads as ReplicaReads).read<Row>(query, refuse, signal)
        return { rows, from: readFrom(shown) }
      },
    }
  }
  const shows = (shown: WalPosition, position: WalPosition | undefined) => position === undefined || position <= shown

  return {
    choose: async (position) => {
      const startedAtMs = performance.now()
      await watch()
      const usable = state === 'up' || (state === 'behind' && !primaryUp)
      if (!usable) return fromPrimary()
      if (shows(replayed, position)) return fromReplica(position, false)
      const leftMs = Math.max(0, settings.reportWaitMs - (performance.now() - startedAtMs))
      if (await waiters.wait(position as WalPosition, leftMs)) return fromReplica(position, false)
      link?.move()
      return fromPrimary()
    },
    otherThan: (failed, position, error) => {
      if (failed.source === 'replica') {
        if (!(error instanceof ReplicaLate)) void replicaSampler?.now()
        return fromPrimary()
      }
      void primarySampler.now()
      return state !== 'gone' && shows(replayed, position) ? fromReplica(position, true) : undefined
    },
    shownBy: (shown, position) => {
      const late = whyLate(shown, position, false)
      if (late !== undefined) throw late
      return readFrom(shown)
    },
    isUp: () => state === 'up',
    primaryIsUp: () => primaryUp,
    look: async () => void (await withinMs(look(), LOOK_WITHIN_MS)),
    stop: () => {
      postgres.upkeep.off('error', primaryLost)
      void primarySampler.stop()
      void replicaSampler?.stop()
      waiters.giveUp()
      link?.close()
    },
  }
}
