/**
 * Lists of calls from their beginning, or from a cursor, to their end: as lines, page by page, as of one moment.
 *
 *   opening ──first page──▶ streaming ──no more calls──────────────────────────────▶ complete: the last line has no cursor
 *      │                       │ └─ as many lines or as much time as allowed, drain─▶ ended early, after a whole line
 *      │                       └─ the database fails, the client leaves or stalls───▶ cut, maybe within a line
 *      └─ refused: nothing was sent
 *
 * Whatever ends it, the cursor of the last line that arrived whole asks for the rest, which is then as of a later moment. For that,
 * a line is kept back until it is known whether one comes after it; and what would end early without a line is cut.
 *
 * A page is read when the client has taken the one before: a slow one stops the reading, and what is in memory is two pages,
 * however many calls there are. The pages are those of the list of calls, so filters, order and cursors are the same: a cursor of
 * Postgres (pg-cursor, pg-query-stream) would need a second statement with a plan and an order of its own.
 *
 * Between two pages an export rests three times as long as the first one took. So it leaves three quarters of the time to others,
 * and slows down when the machine is busy, as pages take longer then.
 */
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { createTally } from '../access/tally.ts'
import { ExportUnavailable, ShuttingDown, TooManyExports } from '../errors/catalogue.ts'
import { Problem } from '../errors/problem.ts'
import type { ReadFrom } from '../postgres/replica-monitor.ts'
import type { OpenSnapshot } from '../postgres/snapshots.ts'
import { remedyFor } from '../postgres/sqlstate.ts'
import type { Tokens } from '../postgres/tokens.ts'
import type { WalPosition } from '../postgres/wal-position.ts'
import { latest, parseWalPosition } from '../postgres/wal-position.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { type CallsFilter, filterKey } from './calls-filter.ts'
import type { CallsLines } from './calls-lines.ts'
import { type CallsOrder, orderedBy } from './calls-order.ts'
import { type CallsPageRow, cutPage, placeOf } from './calls-page.ts'
import { callsPageStatement } from './calls-page-statement.ts'
import { callsPaged, decodeCursor, encodeCursor, type PageCursor } from './page-cursor.ts'
import { AS_TEXT } from './read-report.ts'

export type ExportSettings = {
  /** Lines of one export. */
  readonly exportLinesMax: number
  /** From its snapshot on; a client that reads nothing may keep it as long again as a client may stall. */
  readonly exportSecondsMax: number
  /** A client may read nothing for so long. */
  readonly requestTimeoutMs: number
}

export type CallsExportQuery = {
  readonly filter: CallsFilter
  readonly order: CallsOrder
  readonly cursor: string | undefined
  /** Lines. Default, and most: as set. */
  readonly limit: number | undefined
  readonly lines: CallsLines
}

export type CallsExport = { readonly from: ReadFrom; readonly body: Readable }

export type Exports = {
  /** The most lines that an export may be asked for. */
  readonly linesMax: number
  /**
   * @param onMoved called when it begins to be read, and whenever it has got further
   * @throws {TooManyExports | ExportUnavailable | DatabaseUnavailable | InvalidCursor | TokenOutdated | ShuttingDown}
   */
  calls(
    tenantId: string,
    asked: CallsExportQuery,
    position: WalPosition | undefined,
    onMoved: () => void,
  ): Promise<CallsExport>
  /** Refuses more, and ends those that run within a few seconds, where they can go on at another instance. */
  drain(): void
}

/** As the largest page of the list. It takes a few milliseconds: other requests wait for no more than one page. */
const PAGE = 200
const REST_PER_WORK = 3
const DRAINED_WITHIN_MS = 5_000

/** Cuts it, so that no client takes what it has for all. */
class EndedEarly extends Error {
  override readonly name = 'EndedEarly'
}

/** What an export has in common with the pages of the list. */
const listOf = (tenantId: string, { filter, order }: CallsExportQuery) => ({
  paged: callsPaged(tenantId, filterKey(filter), order),
  statement: (after: PageCursor | undefined, count: number) =>
    callsPageStatement(tenantId, filter, after, count, order),
})

export function createExports(deps: {
  readonly openSnapshot: OpenSnapshot
  /** Of this instance; one tenant may have half of them. */
  readonly atOnce: number
  readonly tokens: Pick<Tokens, 'ready' | 'seal' | 'open'>
  readonly metrics: Pick<Metrics, 'rejected' | 'reportSource'>
  readonly settings: ExportSettings
}): Exports {
  const { openSnapshot, tokens, metrics, settings } = deps
  const atOnceOfTenant = Math.ceil(deps.atOnce / 2)
  const running = createTally()
  const bodies = new Set<Readable>()
  let isDraining = false

  function refusal(tenantId: string): Problem | undefined {
    if (isDraining) return ShuttingDown()
    if (running.of(tenantId) >= atOnceOfTenant) return TooManyExports('the tenant', atOnceOfTenant)
    return running.total() >= deps.atOnce ? TooManyExports('this instance', deps.atOnce) : undefined
  }

  /** @returns gives the place back, the first time it is called */
  function take(tenantId: string): () => void {
    const refused = refusal(tenantId)
    if (refused !== undefined) {
      if (TooManyExports.is(refused)) metrics.rejected.inc({ reason: refused.code })
      throw refused
    }
    running.add(tenantId, 1)
    let isTaken = true
    return () => {
      if (isTaken) running.add(tenantId, -1)
      isTaken = false
    }
  }

  async function open(tenantId: string, asked: CallsExportQuery, position: WalPosition | undefined) {
    const { paged, statement } = listOf(tenantId, asked)
    const cursor = asked.cursor === undefined ? undefined : await decodeCursor(tokens, paged, asked.cursor)
    await tokens.ready()
    const snapshot = await openSnapshot(latest(position, cursor?.shownUpTo))
    const read = (after: PageCursor | undefined, count: number) => {
      const { values, ...query } = statement(after, count)
      return snapshot.read<CallsPageRow>({ ...query, values: [...values], types: AS_TEXT })
    }
    const limit = asked.limit ?? settings.exportLinesMax
    const { column } = orderedBy(asked.order)
    try {
      const first = await read(cursor, Math.min(PAGE, limit))
      // Asked for after the snapshot was made, so that it shows nothing beyond. A later page would say more than it shows.
      const shownUpTo = parseWalPosition(first[0]?.shown_up_to ?? '') ?? 0n
      const cursorAt = (row: CallsPageRow): PageCursor => ({ place: placeOf(row, column), shownUpTo })
      return { snapshot, first, read, limit, cursorAt, encode: (at: PageCursor) => encodeCursor(tokens, paged, at) }
    } catch (error) {
      await snapshot.close()
      throw error
    }
  }

  function stream(
    { first, read, limit, cursorAt, encode }: Awaited<ReturnType<typeof open>>,
    { head, line }: CallsLines,
    end: () => Promise<void>,
    onMoved: () => void,
  ): Readable {
    const endsAtMs = performance.now() + settings.exportSecondsMax * 1000
    const mustEnd = () => isDraining || performance.now() >= endsAtMs
    let stalled: NodeJS.Timeout | undefined

    async function* pages(): AsyncGenerator<string> {
      let [rows, left, text, workMs] = [first, limit, head, 0]
      let keptBack: CallsPageRow | undefined
      for (;;) {
        onMoved()
        const startedAtMs = performance.now()
        const { page, end: last } = cutPage(rows, Math.min(PAGE, left))
        for (const row of page) {
          if (keptBack !== undefined) text += line(keptBack, encode(cursorAt(keptBack)))
          keptBack = row
        }
        left -= page.length
        const isOver = last === undefined || left === 0 || mustEnd()
        if (isOver && keptBack !== undefined) text += line(keptBack, last === undefined ? null : encode(cursorAt(last)))
        else if (isOver && last !== undefined) throw new EndedEarly('the export ends before it has a line')
        workMs += performance.now() - startedAtMs
        // Nobody else needs to wait until the client has read the end.
        if (isOver) await end()
        if (text !== '') {
          stalled = setTimeout(
            () => body.destroy(new EndedEarly('the client reads nothing')),
            settings.requestTimeoutMs,
          )
          yield text
          clearTimeout(stalled)
        }
        if (isOver || body.destroyed) return
        await sleep(workMs * REST_PER_WORK)
        const readAtMs = performance.now()
        rows = await read(cursorAt(last), Math.min(PAGE, left))
        workMs = performance.now() - readAtMs
        text = ''
      }
    }

    const body = Readable.from(pages(), { objectMode: false, highWaterMark: 1 })
    bodies.add(body)
    // Once no statement runs, whether all was read or it was destroyed.
    body.once('close', () => {
      clearTimeout(stalled)
      bodies.delete(body)
      void end()
    })
    return body
  }

  return {
    linesMax: settings.exportLinesMax,
    calls: async (tenantId, asked, position, onMoved) => {
      const give = take(tenantId)
      try {
        const opened = await open(tenantId, asked, position)
        metrics.reportSource.inc({ source: opened.snapshot.from.source })
        const end = async () => {
          await opened.snapshot.close()
          give()
        }
        return { from: opened.snapshot.from, body: stream(opened, asked.lines, end, onMoved) }
      } catch (error) {
        give()
        throw asProblem(error)
      }
    },
    drain: () => {
      isDraining = true
      const late = () => {
        for (const body of bodies)
          body.destroy(new EndedEarly('the instance stops, and the client has not read its page'))
      }
      setTimeout(late, DRAINED_WITHIN_MS).unref()
    },
  }
}

function asProblem(error: unknown): unknown {
  if (error instanceof Problem) return error
  const remedy = remedyFor(error)
  return remedy === 'again' || remedy === 'unavailable' ? ExportUnavailable(error) : error
}
