import { randomUUID } from 'node:crypto'
import type { CallState } from '@hopwhistle/contract/calls.ts'
import { CALL_DIRECTIONS, CALL_STATES } from '@hopwhistle/contract/calls.ts'
import pg from 'pg'
import type { TestDatabase } from '../../../platform/test-support/fresh-database.ts'
import { freshDatabase } from '../../../platform/test-support/fresh-database.ts'
import type { CallEvent } from '../../src/calls/call-event.ts'
import type { Ingest, IngestSettings } from '../../src/calls/ingest.ts'
import { createIngest } from '../../src/calls/ingest.ts'
import type { CommittedBatch, PublishBatch } from '../../src/calls/live-messages.ts'
import { createLog } from '../../src/telemetry/log.ts'
import type { Metrics } from '../../src/telemetry/metrics.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import type { Call } from './call-model.ts'

export type TestIngest = Ingest & { readonly published: CommittedBatch[]; readonly metrics: Metrics }

export type CallStore = Awaited<ReturnType<typeof callStore>>

/** A fresh database, and as many ingests into it as a test wants. */
export async function callStore(given?: TestDatabase) {
  const database = given ?? (await freshDatabase())
  const owner = new pg.Pool({ connectionString: database.ownerUrl, max: 2 })
  owner.on('error', () => {})
  const closing: (() => Promise<void>)[] = []

  function pool(url = database.apiUrl, max = 6): pg.Pool {
    const opened = new pg.Pool({ connectionString: url, max })
    opened.on('error', () => {})
    closing.push(() => opened.end())
    return opened
  }

  function ingest(
    settings: Partial<IngestSettings> = {},
    { url, publish }: { readonly url?: string; readonly publish?: PublishBatch } = {},
  ): TestIngest {
    const published: CommittedBatch[] = []
    const metrics = createMetrics()
    const opened = createIngest({
      postgres: { ingest: pool(url), upkeep: pool(url, 2) },
      metrics,
      settings: {
        ingestQueue: 10_000,
        ingestBatchMax: 500,
        ingestBatchWaitMs: 8,
        ingestBatchesInFlight: 4,
        outboxSweepAfterMs: 60_000,
        ...settings,
      },
      log: createLog({ level: process.env.TEST_LOG_LEVEL ?? 'silent', instanceId: 'test' }),
      onCommitted:
        publish ??
        (async (batch) => {
          published.push(batch)
        }),
    })
    closing.unshift(opened.drain)
    return { ...opened, published, metrics }
  }

  return {
    database,
    pool,
    ingest,
    query: async <Row extends object>(text: string, values: unknown[] = []) =>
      (await owner.query<Row>(text, values)).rows,
    newTenant: async () => {
      const id = randomUUID()
      await owner.query('insert into hopwhistle.tenants (id, name) values ($1, $2)', [id, 'of a test'])
      return id
    },
    calls: (tenantId: string) => storedCalls(owner, tenantId),
    labels: (tenantId: string) => storedLabels(owner, tenantId),
    close: async () => {
      for (const close of closing) await close()
      await owner.end()
    },
  }
}

export function callEvent(state: CallState, given: Partial<CallEvent> = {}): CallEvent {
  return {
    eventId: randomUUID(),
    callId: randomUUID(),
    state,
    occurredAt: Date.now(),
    direction: undefined,
    from: undefined,
    to: undefined,
    corrects: undefined,
    metadata: undefined,
    ...given,
  }
}

type CallRow = {
  readonly call_id: string
  readonly state: number
  readonly direction: number | null
  readonly from_number: string | null
  readonly to_number: string | null
  readonly progress: string | null
} & Readonly<Record<'started_at' | 'initiated_at' | 'ringing_at' | 'answered_at' | 'ended_at', Date | null>>

/** A correction's progress says when it occurred: see src/calls/progress.ts. */
const correctedAtOf = (progress: number) => (progress > 2 ** 52 ? Math.floor((progress - 2 ** 52) / 8) : undefined)

/** Labels of each call that has some. */
async function storedLabels(owner: pg.Pool, tenantId: string): Promise<Record<string, Record<string, string>>> {
  const { rows } = await owner.query<{ call_id: string; labels: Record<string, string> }>(
    'select call_id, labels from hopwhistle.calls where tenant_id = $1 and labels is not null',
    [tenantId],
  )
  return Object.fromEntries(rows.map(({ call_id, labels }) => [call_id, labels]))
}

/** Without their labels. */
export type StoredCall = Omit<Call, 'labels'>

async function storedCalls(owner: pg.Pool, tenantId: string): Promise<Map<string, StoredCall>> {
  const { rows } = await owner.query<CallRow>('select * from hopwhistle.calls where tenant_id = $1', [tenantId])
  return new Map(
    rows.map((row) => [
      row.call_id,
      {
        state: CALL_STATES[row.state] as CallState,
        startedAt: row.started_at?.getTime() as number,
        initiatedAt: row.initiated_at?.getTime(),
        ringingAt: row.ringing_at?.getTime(),
        answeredAt: row.answered_at?.getTime(),
        endedAt: row.ended_at?.getTime(),
        correctedAt: correctedAtOf(Number(row.progress)),
        direction: row.direction === null ? undefined : CALL_DIRECTIONS[row.direction],
        from: row.from_number ?? undefined,
        to: row.to_number ?? undefined,
      },
    ]),
  )
}
