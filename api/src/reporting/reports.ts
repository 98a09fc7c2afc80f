import { createTurns } from '../access/turns.ts'
import { CallNotFound, ChangesForgotten } from '../errors/catalogue.ts'
import type { ReplicaMonitor } from '../postgres/replica-monitor.ts'
import type { Tokens } from '../postgres/tokens.ts'
import { latest, type WalPosition } from '../postgres/wal-position.ts'
import type { ReportCache } from '../redis/report-cache.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { type CallsCount, type CountMode, countCalls } from './calls-count.ts'
import type { CallsFilter } from './calls-filter.ts'
import { filterKey } from './calls-filter.ts'
import { type CallsOrder, orderedBy, USUAL_ORDER } from './calls-order.ts'
import type { CallsPageRow } from './calls-page.ts'
import { callsPageFields } from './calls-page.ts'
import { callsPageStatement } from './calls-page-statement.ts'
import { type ChangesPlace, type ChangesRow, changesPage, changesStatement } from './changes.ts'
import { type Breakdown, breakdownKey } from './groups/breakdown.ts'
import { breakdownFields } from './groups/breakdown-report.ts'
import { type BreakdownRow, breakdownStatement } from './groups/breakdown-statement.ts'
import type { MetricsRange } from './metrics-range.ts'
import { metricsFields } from './metrics-report.ts'
import type { MetricsRow } from './metrics-statement.ts'
import { metricsStatement } from './metrics-statement.ts'
import {
  callsPaged,
  changesPaged,
  decodeCursor,
  encodeCursor,
  type PageCursor,
  type Paged,
  timelinePaged,
} from './page-cursor.ts'
import type { ReportStatement } from './read-report.ts'
import { readReport } from './read-report.ts'
import type { RecentAnswers } from './recent-answers.ts'
import type { Answer } from './shared-answers.ts'
import { createSharedAnswers } from './shared-answers.ts'
import type { TimelineRow } from './timeline.ts'
import { timelineFields, timelineStatement } from './timeline.ts'
import type { QuartersRow } from './zones/quarters-statement.ts'
import { type ZonedRange, zonedKey } from './zones/zoned-range.ts'
import { zonedReport } from './zones/zoned-report.ts'

export type { Answer } from './shared-answers.ts'

export type ReportSettings = {
  readonly postgresQueryTimeoutMs: number
  /** How many calls a breakdown may read. */
  readonly reportCallsMax: number
}

/**
 * Reports of one tenant. Each shows at least everything up to `position`, says as of when it is and where it was
 * read, and comes as bytes that can be sent.
 *
 * Every one may throw {DatabaseUnavailable} when no server can show it, and {RequestTimeout}.
 */
export type Reports = {
  metrics(tenantId: string, range: MetricsRange | ZonedRange, position?: WalPosition): Promise<Answer>
  /** Of some calls, or in groups. @throws {ReportTooLarge} */
  breakdown(tenantId: string, breakdown: Breakdown, position?: WalPosition): Promise<Answer>
  /** @param limit 1 to 200 @throws {InvalidCursor | TokenOutdated} */
  calls(tenantId: string, page: CallsPage, position?: WalPosition): Promise<Answer>
  /** @param limit 1 to 200 @throws {InvalidCursor | TokenOutdated | ChangesForgotten} */
  changes(tenantId: string, page: ChangesPageAsked, position?: WalPosition): Promise<Answer>
  /** @param limit 1 to 200 @throws {CallNotFound | InvalidCursor | TokenOutdated} */
  timeline(tenantId: string, page: TimelinePage, position?: WalPosition): Promise<Answer>
}

export type TimelinePage = { readonly callId: string; readonly limit: number; readonly cursor?: string }
export type CallsPage = {
  readonly filter: CallsFilter
  readonly order?: CallsOrder
  readonly count?: CountMode
  readonly limit: number
  readonly cursor?: string
}
export type ChangesPageAsked = {
  readonly filter: CallsFilter
  /** Unix milliseconds, for a page without a cursor. */
  readonly sinceMs: number
  readonly limit: number
  readonly cursor?: string
}

/**
 * How long an answer is good for others.
 *
 * A range that calls still happen in changes every second: 2 s keep a dashboard with a hundred viewers at one read.
 * A range is settled when it ended two hours ago, for by then its calls have ended, too; late events may still change
 * it, up to 90 days on, so it is kept for a minute and not for ever. `asOf` tells the age of either, and a
 * position gets past both.
 */
const KEEP_MS = { open: 2_000, settled: 60_000 } as const
const SETTLED_AFTER_MS = 2 * 3_600_000

export function createReports(deps: {
  readonly replica: Pick<ReplicaMonitor, 'choose' | 'otherThan'>
  readonly cache: ReportCache
  readonly recent?: RecentAnswers
  readonly tokens: Pick<Tokens, 'ready' | 'seal' | 'open'>
  readonly history: () => string | undefined
  readonly metrics: Pick<Metrics, 'reportCache' | 'reportSource'>
  readonly settings: ReportSettings
  /** How many reports are read at once: as many as there are connections for. */
  readonly atOnce: () => number
}): Reports {
  const { replica, tokens, settings } = deps
  const answer = createSharedAnswers(deps)
  const turns = createTurns(deps.atOnce)
  // A breakdown may take a second or more: those leave most connections to what takes milliseconds.
  const fewTurns = createTurns(() => Math.max(1, Math.floor(deps.atOnce() / 4)))
  const read = <Row extends object>(tenantId: string, statement: ReportStatement, position: WalPosition | undefined) =>
    readReport<Row>(replica, statement, position, settings.postgresQueryTimeoutMs, (work) => turns.run(tenantId, work))

  const openCursor = async (paged: Paged, given: string | undefined) =>
    given === undefined ? undefined : decodeCursor(tokens, paged, given)

  return {
    metrics: (tenantId, range, position) =>
      answer(
        {
          tenantId,
          key: 'timeZone' in range ? zonedKey(range) : `metrics ${range.granularity} ${range.fromMs} ${range.toMs}`,
          position,
          keepMs: keepMs(range.toMs),
        },
        async () => {
          if ('timeZone' in range) {
            const { statement, fields } = zonedReport(tenantId, range)
            const { rows, from } = await read<MetricsRow | QuartersRow>(tenantId, statement, position)
            return { fields: fields(rows), from }
          }
          const { rows, from } = await read<MetricsRow>(tenantId, metricsStatement(tenantId, range), position)
          return { fields: metricsFields(rows, range), from }
        },
      ),
    breakdown: (tenantId, breakdown, position) =>
      answer(
        { tenantId, key: `breakdown ${breakdownKey(breakdown)}`, position, keepMs: keepMs(breakdown.range.toMs) },
        async () => {
          const { reportCallsMax } = settings
          const statement = breakdownStatement(tenantId, breakdown, reportCallsMax)
          const { rows, from } = await fewTurns.run(tenantId, () => read<BreakdownRow>(tenantId, statement, position))
          return { fields: breakdownFields(rows, breakdown, reportCallsMax), from }
        },
      ),
    calls: async (
      tenantId,
      { filter, order = USUAL_ORDER, count: countMode = 'none', limit, cursor: given },
      position,
    ) => {
      const key = filterKey(filter)
      const paged = callsPaged(tenantId, key, order)
      const cursor = await openCursor(paged, given)
      // A page never comes from a server that is behind the page before it, or calls would be missing in between.
      const notBefore = latest(position, cursor?.shownUpTo)
      const until =
        cursor !== undefined && order === USUAL_ORDER ? Date.parse(`${cursor.place[0]}Z`) : filter.startedToMs
      const question = `calls ${order} ${countMode} ${limit} ${given ?? ''} ${key}`
      return answer({ tenantId, key: question, position, keepMs: keepMs(until) }, async () => {
        const statement = callsPageStatement(tenantId, filter, cursor, limit, order)
        const { rows, from } = await read<CallsPageRow>(tenantId, statement, notBefore)
        const readRows = async <Row extends object>(one: ReportStatement) =>
          (await read<Row>(tenantId, one, notBefore)).rows
        const count =
          countMode === 'none' ? undefined : await countCalls(readRows, tenantId, { filter, order }, countMode)
        await tokens.ready()
        const { column } = orderedBy(order)
        const fields = callsPageFields(rows, limit, column, (end) => encodeCursor(tokens, paged, end))
        return { fields: `${countField(count)}${fields}`, from }
      })
    },
    // Nothing is kept of the feed: everybody is at another place of it.
    changes: async (tenantId, { filter, sinceMs, limit, cursor: given }, position) => {
      const key = filterKey(filter)
      const paged = changesPaged(tenantId, key)
      const cursor = await openCursor(paged, given)
      const from = cursor === undefined ? sinceMs : changesPlace(cursor)
      const asked = `changes ${given ?? sinceMs} ${limit} ${key}`
      return answer({ tenantId, key: asked, position, keepMs: 0 }, async () => {
        const { rows, from: server } = await read<ChangesRow>(
          tenantId,
          changesStatement(tenantId, filter, from, limit),
          position,
        )
        await tokens.ready()
        const page = changesPage(rows, from, limit, (end) => encodeCursor(tokens, paged, end))
        if (page.forgotten) throw ChangesForgotten(cursor === undefined ? 'updatedSince' : 'cursor')
        return { fields: page.fields, from: server }
      })
    },
    // Nothing is kept of a timeline: it is asked for while a call goes on, and costs one look-up by key.
    timeline: async (tenantId, { callId, limit, cursor: given }, position) => {
      const paged = timelinePaged(tenantId, callId)
      const cursor = await openCursor(paged, given)
      const notBefore = latest(position, cursor?.shownUpTo)
      return answer(
        { tenantId, key: `timeline ${limit} ${given ?? ''} ${callId}`, position: notBefore, keepMs: 0 },
        async () => {
          const statement = timelineStatement(tenantId, callId, cursor, limit)
          const { rows, from } = await read<TimelineRow>(tenantId, statement, notBefore)
          await tokens.ready()
          const fields = timelineFields(rows, limit, (end) => encodeCursor(tokens, paged, end))
          if (fields === undefined) throw CallNotFound()
          return { fields, from }
        },
      )
    },
  }
}

function changesPlace({ place: [change = '', entry = '', shownBefore = ''] }: PageCursor): ChangesPlace {
  return { change, entry, shownBefore }
}

function countField(count: CallsCount | undefined): string {
  return count === undefined ? '' : `"count":${JSON.stringify(count)},`
}

function keepMs(untilMs: number | undefined): number {
  const settled = untilMs !== undefined && untilMs <= Date.now() - SETTLED_AFTER_MS
  return settled ? KEEP_MS.settled : KEEP_MS.open
}
