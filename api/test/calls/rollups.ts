import { CALL_STATES } from '@hopwhistle/contract/calls.ts'
import { gamma } from '@hopwhistle/contract/latency-buckets.ts'
import { ringMs, talkMs } from './call-model.ts'
import type { CallStore, StoredCall } from './call-store.ts'

const HOUR_MS = 3600 * 1000
const GAMMA = gamma(0.01)

/** What a rollup row says, in a shape that compares. */
type Rollup = { counts: Record<string, number>; ring: Record<number, number>; talk: Record<number, number> }

/** Counts calls the plain way: one after the other, from nothing but the calls. */
export function countCalls(calls: Iterable<StoredCall>, lengthMs: number): Record<string, Rollup> {
  const rollups: Record<string, Rollup> = {}
  for (const call of calls) {
    const start = new Date(Math.floor(call.startedAt / lengthMs) * lengthMs).toISOString()
    rollups[start] ??= { counts: {}, ring: {}, talk: {} }
    const { counts, ring, talk } = rollups[start]
    const count = (name: string, by = 1) => {
      counts[name] = (counts[name] ?? 0) + by
    }
    count('calls')
    count(call.state.toLowerCase())
    if (call.direction !== undefined) count(call.direction)
    if (call.answeredAt !== undefined) count('connected')
    for (const [name, ms, histogram] of [
      ['ring', ringMs(call), ring],
      ['talk', talkMs(call), talk],
    ] as const) {
      if (ms === undefined) continue
      count(`${name}_count`)
      count(`${name}_total_ms`, ms)
      const bucket = ms <= 1 ? 1 : 1 + Math.ceil(Math.log(ms) / Math.log(GAMMA))
      histogram[bucket] = (histogram[bucket] ?? 0) + 1
    }
  }
  for (const rollup of Object.values(rollups)) rollup.counts = withoutZeros(rollup.counts)
  return rollups
}

export const plainHours = (calls: Iterable<StoredCall>) => countCalls(calls, HOUR_MS)
export const plainDays = (calls: Iterable<StoredCall>) => countCalls(calls, 24 * HOUR_MS)

const COLUMNS = [
  'calls',
  ...CALL_STATES.map((state) => state.toLowerCase()),
  ...['inbound', 'outbound', 'connected', 'ring_count', 'talk_count', 'ring_total_ms', 'talk_total_ms'],
]

type Row = Record<string, string | Date> &
  Record<'ring_buckets' | 'talk_buckets', number[]> &
  Record<'ring_counts' | 'talk_counts', string[]>

/** The rollups as folded; nothing may be pending. */
export async function foldedRollups(store: CallStore, tenantId: string, table: 'hourly' | 'daily') {
  const start = table === 'hourly' ? 'hour' : 'day'
  const rows = await store.query<Row>(
    `select * from hopwhistle.call_metrics_${table} where tenant_id = $1 and calls <> 0`,
    [tenantId],
  )
  const histogram = (buckets: number[], counts: string[]) =>
    Object.fromEntries(buckets.map((bucket, i) => [bucket, Number(counts[i])]))
  return Object.fromEntries(
    rows.map((row): [string, Rollup] => [
      (row[start] as Date).toISOString(),
      {
        counts: withoutZeros(Object.fromEntries(COLUMNS.map((name) => [name, Number(row[name])]))),
        ring: histogram(row.ring_buckets, row.ring_counts),
        talk: histogram(row.talk_buckets, row.talk_counts),
      },
    ]),
  )
}

function withoutZeros(counts: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0))
}
