import { HEADERS, ROUTES } from '@hopwhistle/contract/routes.ts'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { Static } from 'typebox'
import type { TenantLabels } from '../access/tenant-labels.ts'
import { problems } from '../errors/problem-schema.ts'
import { negotiate } from '../http/negotiate.ts'
import type { Tokens } from '../postgres/tokens.ts'
import type { WalPosition } from '../postgres/wal-position.ts'
import { parseCallsFilter } from './calls-filter.ts'
import { USUAL_ORDER } from './calls-order.ts'
import { parseChangesSince } from './changes-since.ts'
import { checkQuery } from './check-query.ts'
import type { Exports } from './exports.ts'
import { type Breakdown, labelsOf, parseBreakdown } from './groups/breakdown.ts'
import { parseMetricsRange } from './metrics-range.ts'
import {
  CALLS_LIMIT,
  CallsAnswer,
  CallsQuery,
  MetricsAnswer,
  MetricsQuery,
  TIMELINE_LIMIT,
  TimelineAnswer,
  TimelineParams,
  TimelineQuery,
} from './report-schemas.ts'
import type { Answer, Reports } from './reports.ts'
import { metricsAs, OFFERED, sendCalls, withExports } from './send-export.ts'
import { isSameAnswer } from './shared-answers.ts'
import type { Unsent } from './unsent.ts'
import { parseZonedRange } from './zones/zoned-range.ts'

/** The query if it is of hours or days of UTC, by nobody's choice of a time zone: it is answered without a word about one. */
function plainQuery({ granularity, ...query }: Static<typeof MetricsQuery>, ofTenant: string | undefined) {
  if (query.timezone !== undefined || query.weekStart !== undefined || ofTenant !== undefined) return undefined
  return granularity === 'hour' || granularity === 'day' ? { ...query, granularity } : undefined
}

/** Queries are checked by `checkQuery`, with the schema that documents them. */
const unchecked = () => () => true
const NOT_MODIFIED = { 304: { description: 'What the caller has (If-None-Match) is still so', type: 'null' } }

export function reportingRoutes(deps: {
  readonly reports: Reports
  readonly exports: Exports
  readonly tokens: Pick<Tokens, 'openPosition'>
  readonly unsent: Unsent
  readonly labels: Pick<TenantLabels, 'require'>
}): FastifyPluginAsync {
  const { reports, tokens, unsent, labels } = deps
  /** From the query string or the header. @throws {InvalidPosition | TokenOutdated | DatabaseUnavailable} */
  async function positionOf(
    request: FastifyRequest,
    query: { readonly position?: string },
  ): Promise<WalPosition | undefined> {
    const given = query.position ?? request.headers[HEADERS.position]
    return given === undefined ? undefined : tokens.openPosition(String(given))
  }

  /** @throws {LabelsRefused} a name that is not declared is most likely misspelt */
  async function requireLabels(
    tenantId: string,
    { filter, groupBy }: Pick<Breakdown, 'filter' | 'groupBy'>,
  ): Promise<void> {
    const fieldOf = (name: string) => (groupBy === `label:${name}` ? 'groupBy' : 'label')
    const names = labelsOf({ filter, ...(groupBy === undefined ? {} : { groupBy }) })
    if (names.length > 0) await labels.require(tenantId, names, (name) => `${fieldOf(name)} ${name}`)
  }

  return async (app) => {
    app.get(ROUTES.reportMetrics, {
      config: { scope: 'reports:read' },
      schema: {
        tags: ['reports'],
        summary: 'Metrics of calls by the hour, day, week or month',
        description:
          'Counts by state and direction, and ring and talk time, of the calls that started in each bucket, and of the whole range. ' +
          'Buckets are those of a time zone: of UTC unless timezone, or a setting of the tenant, says otherwise. ' +
          'With a filter, groupBy or include, the calls of the range are read one by one: as many as REPORT_CALLS_MAX at most. ' +
          'As CSV or NDJSON it has a line for each bucket, with groupBy for each bucket of each group, and no totals.',
        querystring: MetricsQuery,
        response: {
          200: withExports(
            'The report',
            MetricsAnswer,
            'the buckets; a column of CSV is named by its path in the JSON, such as ring.p95Ms',
          ),
          ...NOT_MODIFIED,
          ...problems(400, 406, 410, 422),
        },
      },
      validatorCompiler: unchecked,
      handler: async (request, reply) => {
        reply.header('vary', VARY)
        const type = negotiate(request.headers.accept, OFFERED)
        const query = checkQuery(MetricsQuery, request.query)
        const { tenantId, timeZone } = request.principal
        const inUtc = plainQuery(query, timeZone)
        const range =
          inUtc === undefined ? parseZonedRange(query, timeZone, Date.now()) : parseMetricsRange(inUtc, Date.now())
        const breakdown = parseBreakdown(query, range)
        if (breakdown !== undefined) await requireLabels(tenantId, breakdown)
        const position = await positionOf(request, query)
        const answer =
          breakdown === undefined
            ? await reports.metrics(tenantId, range, position)
            : await reports.breakdown(tenantId, breakdown, position)
        return send(unsent, request, reply, type === 'application/json' ? answer : metricsAs(type, answer, reply))
      },
    })

    app.get(ROUTES.reportCalls, {
      config: { scope: 'reports:read' },
      schema: {
        tags: ['reports'],
        summary: 'Calls, newest first, a page at a time; or those that have changed',
        description:
          'Sorted by when they started, unless order says otherwise. Pass nextCursor on as cursor, with the same parameters, for the ' +
          'next page; a page deep down is as fast as the first. With filters by answered, stale, talk time, duration or label, and in another ' +
          'order than by start, a page may have fewer calls than limit, or none, and a nextCursor nevertheless: go on until it is ' +
          'null. A walk shows every call that was there when it began. One that moves in the order meanwhile, by an event that ' +
          'came late, may be shown again.\n\n' +
          'With updatedSince it is a feed of the calls that have changed, each as it is now, in the order in which they changed. ' +
          'nextCursor is always there: ask with it again, at once while `more` is true and else after some seconds, for ever. No ' +
          'change is missed, and no state of a call comes twice. A change is in the feed after about two seconds; a call that ' +
          'changes again sooner, after its last change. Calls that are deleted because they are too old are not told, and a call ' +
          'that becomes stale has not changed.\n\n' +
          'As CSV or NDJSON it is not a page but all of it, as of one moment; limit is then the most lines, and the cursor of a ' +
          'line asks for those after it (docs/exports.md).',
        querystring: CallsQuery,
        response: {
          200: withExports(
            'A page of calls, or all of them',
            CallsAnswer,
            'calls, each with its cursor, the last one without',
          ),
          ...NOT_MODIFIED,
          ...problems(400, 406, 410, 422),
        },
      },
      validatorCompiler: unchecked,
      handler: async (request, reply) => {
        reply.header('vary', VARY)
        const type = negotiate(request.headers.accept, OFFERED)
        if (type !== 'application/json')
          return sendCalls(type, { ...deps, requireLabels }, request, reply, (query) => positionOf(request, query))
        const query = checkQuery(CallsQuery, request.query)
        const { limit = CALLS_LIMIT.usual, cursor, order = USUAL_ORDER, count = 'none' } = query
        const { tenantId } = request.principal
        const filter = parseCallsFilter(query)
        await requireLabels(tenantId, { filter })
        const page = { filter, limit, ...(cursor === undefined ? {} : { cursor }) }
        const sinceMs = parseChangesSince(query, Date.now())
        const position = await positionOf(request, query)
        const answer =
          sinceMs === undefined
            ? await reports.calls(tenantId, { ...page, order, count }, position)
            : await reports.changes(tenantId, { ...page, sinceMs }, position)
        return send(unsent, request, reply, answer)
      },
    })

    app.get(ROUTES.call, {
      config: { scope: 'reports:read' },
      schema: {
        tags: ['reports'],
        summary: 'A call and what happened to it, a page of events at a time',
        description:
          'Pass nextCursor on as cursor for the next page. Most calls have a handful of events, and one page.',
        params: TimelineParams,
        querystring: TimelineQuery,
        response: { 200: TimelineAnswer, ...NOT_MODIFIED, ...problems(400, 404, 410) },
      },
      validatorCompiler: unchecked,
      handler: async (request, reply) => {
        const { callId } = checkQuery(TimelineParams, request.params)
        const query = checkQuery(TimelineQuery, request.query)
        const { limit = TIMELINE_LIMIT.usual, cursor } = query
        const page = { callId, limit, ...(cursor === undefined ? {} : { cursor }) }
        return send(
          unsent,
          request,
          reply,
          await reports.timeline(request.principal.tenantId, page, await positionOf(request, query)),
        )
      },
    })
  }
}

/** What else than the URL decides an answer, so that no cache on the way gives one caller's to another. */
const VARY = ['accept', HEADERS.apiKey, 'authorization', HEADERS.tenantId, HEADERS.position, 'origin'].join(', ')

function send(unsent: Unsent, request: FastifyRequest, reply: FastifyReply, answer: Answer): FastifyReply {
  const isNew = !callerHas(request.headers['if-none-match'], answer.tag)
  if (isNew) unsent.take(request.principal.tenantId, answer.body, reply.raw)
  const maxAge = Math.floor(answer.maxAgeMs / 1000)
  reply
    .header('etag', `"${answer.tag}"`)
    .header('cache-control', maxAge === 0 ? 'private, no-cache' : `private, max-age=${maxAge}`)
    .header('vary', VARY)
  if (!isNew) return reply.code(304).send()
  if (!reply.hasHeader('content-type')) reply.type('application/json; charset=utf-8')
  return reply.send(answer.body)
}

function callerHas(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch === undefined) return false
  return ifNoneMatch.split(',').some((given) => {
    const value = given.trim().replace(/^W\//, '')
    return value === '*' || isSameAnswer(value.slice(1, -1), tag)
  })
}
