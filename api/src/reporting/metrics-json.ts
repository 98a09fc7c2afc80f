/** What is counted of the calls that started in a bucket; columns of the rollups. */
export const COUNTS = [
  'calls',
  'initiated',
  'ringing',
  'answered',
  'completed',
  'busy',
  'no_answer',
  'failed',
  'canceled',
  'inbound',
  'outbound',
  'connected',
  'ring_count',
  'talk_count',
  'ring_total_ms',
  'talk_total_ms',
] as const
export type Count = (typeof COUNTS)[number]

/** What goes into the JSON of a bucket, each as text: numbers, or `null`. */
export type BucketTexts = { readonly [K in Count | Estimate]: string }

export const DURATIONS = ['ring', 'talk'] as const
export type Duration = (typeof DURATIONS)[number]

export const ESTIMATES = ['average_ms', 'p50_ms', 'p95_ms', 'p99_ms'] as const
export type Estimate = `${Duration}_${(typeof ESTIMATES)[number]}`

/** The JSON of a bucket or of totals, without braces. Of a folded bucket Postgres keeps the same text, by migration 0011. */
export function bucketJson(t: BucketTexts): string {
  return (
    `${countsJson(t)},` +
    `"ring":{"count":${t.ring_count},"averageMs":${t.ring_average_ms},` +
    `"p50Ms":${t.ring_p50_ms},"p95Ms":${t.ring_p95_ms},"p99Ms":${t.ring_p99_ms}},` +
    `"talk":{"count":${t.talk_count},"averageMs":${t.talk_average_ms},` +
    `"p50Ms":${t.talk_p50_ms},"p95Ms":${t.talk_p95_ms},"p99Ms":${t.talk_p99_ms}}`
  )
}

/** The counts of a bucket. */
export function countsJson(t: { readonly [K in Count]: string }): string {
  return (
    `"calls":${t.calls},"connected":${t.connected},"inbound":${t.inbound},"outbound":${t.outbound},` +
    `"states":{"INITIATED":${t.initiated},"RINGING":${t.ringing},"ANSWERED":${t.answered},"COMPLETED":${t.completed},` +
    `"BUSY":${t.busy},"NO_ANSWER":${t.no_answer},"FAILED":${t.failed},"CANCELED":${t.canceled}}`
  )
}

/** Halves to the even number, as Postgres rounds in the bodies that it keeps: a bucket reads the same folded or not. */
export function rounded(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return 'null'
  const up = Math.round(ms)
  return String(up - ms === 0.5 && up % 2 !== 0 ? up - 1 : up)
}
