/** Answers of the reports as lines: `Accept: text/csv` or `application/x-ndjson`. */
import { Readable } from 'node:stream'
import { HEADERS } from '@hopwhistle/contract/routes.ts'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type TSchema, Type } from 'typebox'
import type { WalPosition } from '../postgres/wal-position.ts'
import { type CallsFilter, parseCallsFilter } from './calls-filter.ts'
import { type CallsLines, CSV_CALLS, NDJSON_CALLS } from './calls-lines.ts'
import { USUAL_ORDER } from './calls-order.ts'
import { checkQuery } from './check-query.ts'
import type { Exports } from './exports.ts'
import { CSV_METRICS, type MetricsExport, type MetricsLines, metricsLines, NDJSON_METRICS } from './metrics-lines.ts'
import { CallsQuery } from './report-schemas.ts'
import { type Answer, tagOfVariant } from './shared-answers.ts'
import type { Unsent } from './unsent.ts'

/** The first is what a client gets that asks for nothing else. */
export const OFFERED = ['application/json', 'application/x-ndjson', 'text/csv'] as const
export type ExportType = Exclude<(typeof OFFERED)[number], 'application/json'>

type Format = { readonly contentType: string; readonly ending: string; calls: CallsLines; metrics: MetricsLines }
const FORMATS: Readonly<Record<ExportType, Format>> = {
  'application/x-ndjson': {
    contentType: 'application/x-ndjson',
    ending: 'ndjson',
    calls: NDJSON_CALLS,
    metrics: NDJSON_METRICS,
  },
  'text/csv': {
    contentType: 'text/csv; charset=utf-8; header=present',
    ending: 'csv',
    calls: CSV_CALLS,
    metrics: CSV_METRICS,
  },
}

/** Two pages of the longest calls, as rows and as text, and what is written to the connection and not sent. */
const BYTES_OF_EXPORT = 4 * 1024 * 1024

/** The same bytes for all who ask for a report within the moment that it is kept for. */
const rendered = new WeakMap<Buffer, Partial<Record<ExportType, MetricsExport>>>()

/** The same report, as lines of its buckets. */
export function metricsAs(type: ExportType, answer: Answer, reply: FastifyReply): Answer {
  const known = rendered.get(answer.body) ?? {}
  rendered.set(answer.body, known)
  known[type] ??= metricsLines(answer.body, FORMATS[type].metrics)
  const { asOf, source, body } = known[type]
  describe(reply, type, 'metrics', { asOf, source })
  return { ...answer, body, tag: tagOfVariant(answer.tag, type) }
}

/** @throws what `exports.calls` throws, before anything is sent */
export async function sendCalls(
  type: ExportType,
  {
    exports,
    unsent,
    requireLabels,
  }: {
    readonly exports: Exports
    readonly unsent: Unsent
    /** @throws when a label of the filter is not declared */
    readonly requireLabels: (tenantId: string, asked: { readonly filter: CallsFilter }) => Promise<void>
  },
  request: FastifyRequest,
  reply: FastifyReply,
  positionOf: (query: { readonly position?: string }) => Promise<WalPosition | undefined>,
): Promise<FastifyReply> {
  const query = checkQuery(exportQuery(exports.linesMax), request.query)
  const { cursor, limit, order = USUAL_ORDER } = query
  const { tenantId } = request.principal
  const filter = parseCallsFilter(query)
  await requireLabels(tenantId, { filter })
  const asked = { filter, order, cursor, limit, lines: FORMATS[type].calls }
  reply.header('cache-control', 'private, no-store')
  if (request.method === 'HEAD') {
    describe(reply, type, 'calls')
    return reply.send(Readable.from([]))
  }
  unsent.hold(tenantId, BYTES_OF_EXPORT, reply.raw)
  const moved = () => {
    // The first lines may take a while to find; from here on it is answered.
    if (reply.raw.headersSent) request.answerMoved()
    else reply.raw.flushHeaders()
  }
  const { from, body } = await exports.calls(tenantId, asked, await positionOf(query), moved)
  // A client that has left meanwhile, or was cut because it took too long, takes nothing of it.
  if (reply.sent || reply.raw.destroyed) {
    body.destroy()
    return reply
  }
  describe(reply, type, 'calls', { asOf: from.asOf.toISOString(), source: from.source })
  return reply.send(body)
}

function describe(
  reply: FastifyReply,
  type: ExportType,
  what: string,
  read?: { readonly asOf: string; readonly source: string },
): void {
  const { contentType, ending } = FORMATS[type]
  reply.type(contentType).header('content-disposition', `attachment; filename="${what}.${ending}"`)
  if (read !== undefined) reply.header(HEADERS.asOf, read.asOf).header(HEADERS.source, read.source)
}

const { count: _count, updatedSince: _updatedSince, ...OF_ALL_LISTS } = CallsQuery.properties

/** The same as for the list, without a count, and no feed; its limit is that of lines. */
const exportQuery = (linesMax: number) =>
  Type.Object(
    { ...OF_ALL_LISTS, limit: Type.Optional(Type.Integer({ minimum: 1, maximum: linesMax })) },
    { additionalProperties: false },
  )

/** How a route that has exports documents its answer. */
export const withExports = (description: string, json: TSchema, line: string) => ({
  description,
  headers: {
    [HEADERS.asOf]: { type: 'string', format: 'date-time', description: 'of an export: asOf' },
    [HEADERS.source]: { type: 'string', description: 'of an export: source' },
  },
  content: {
    'application/json': { schema: json },
    'application/x-ndjson': { schema: Type.String({ description: `JSON objects, one a line: ${line}` }) },
    'text/csv': { schema: Type.String({ description: `RFC 4180 in UTF-8, with a header line: ${line}` }) },
  },
})
