import { CALL_STATES } from '@hopwhistle/contract/calls.ts'
import { csvField, csvLine, csvText } from './csv.ts'

/** The buckets of a report on metrics as lines, made from the report: at most what that may have, and as of the same moment. */
export type MetricsLines = { readonly head: string; line(bucket: Bucket): string }
type Bucket = Readonly<Record<string, unknown>>

export const NDJSON_METRICS: MetricsLines = { head: '', line: (bucket) => `${JSON.stringify(bucket)}\n` }

const durations = (of: string) => ['count', 'averageMs', 'p50Ms', 'p95Ms', 'p99Ms'].map((name) => `${of}.${name}`)

/** Where it is in a bucket. None is ever renamed, moved or taken away; new ones come at the end. */
const COLUMNS: readonly string[] = [
  'start',
  'calls',
  'connected',
  'inbound',
  'outbound',
  ...CALL_STATES.map((state) => `states.${state}`),
  ...durations('ring'),
  ...durations('talk'),
  'stale',
  // With groupBy only.
  'group',
  'key',
  // With include=callers only.
  'callers.firstTime',
  'callers.repeat',
]

export const CSV_METRICS: MetricsLines = {
  head: csvLine(COLUMNS),
  line: (bucket) => csvLine(COLUMNS.map((path) => field(bucket, path))),
}

function field(bucket: Bucket, path: string): string {
  let value: unknown = bucket
  for (const name of path.split('.')) value = (value as Bucket | null)?.[name]
  if (value === null || value === undefined) return ''
  return path === 'key' ? csvText(String(value)) : csvField(String(value))
}

export type MetricsExport = { readonly asOf: string; readonly source: string; readonly body: Buffer }

/** @param report as it goes out as JSON */
export function metricsLines(report: Buffer, lines: MetricsLines): MetricsExport {
  const { asOf, source, buckets, groups } = JSON.parse(report.toString()) as {
    readonly asOf: string
    readonly source: string
    readonly buckets: readonly Bucket[]
    readonly groups?: readonly {
      readonly group: string
      readonly key: string | null
      readonly buckets: readonly Bucket[]
    }[]
  }
  const all =
    groups?.flatMap(({ group, key, buckets }) => buckets.map((bucket) => ({ ...bucket, group, key }))) ?? buckets
  return { asOf, source, body: Buffer.from(lines.head + all.map(lines.line).join('')) }
}
