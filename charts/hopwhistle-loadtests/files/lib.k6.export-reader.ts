/** Polls the feed of changes, and exports calls and metrics. Runs inside k6. */
import { sleep } from 'k6'
import exec from 'k6/execution'
import http from 'k6/http'
import { Counter } from 'k6/metrics'
import {
  CSV,
  changesQuery,
  EXPORT_ENDPOINTS,
  EXPORT_LINES,
  type ExportEndpoint,
  exportEnd,
  exportEndpointOf,
  exportFilter,
  exportQuery,
  type FeedPlace,
  feedFrom,
  type LinesType,
  NDJSON,
  tableQuery,
} from './contract.traffic.export-queries.ts'
import { type Random, seededRandom } from './contract.traffic.report-queries.ts'
import { parsedJson } from './lib.parsed-json.ts'
import { SENDING_PHASES, type SendingPhase } from './lib.phases.ts'
import { isFeedPage } from './lib.report-shape.ts'
import { requestHeaders } from './lib.request-headers.ts'
import type { CommonSettings } from './lib.settings.ts'
import { requestMeter } from './lib.k6.request-meter.ts'
import { elapsedSeconds, type RunContext } from './lib.k6.run-context.ts'

const LATENCIES = EXPORT_ENDPOINTS.map((endpoint) => `report_latency_${endpoint}`)
export const EXPORT_HISTOGRAMS = LATENCIES.flatMap((name) => SENDING_PHASES.map((phase) => `${name}_${phase}`))
/** Requests that were refused with 429, because others exported, and sent again. */
export const EXPORT_COUNTERS = SENDING_PHASES.map((phase) => `reports_retried_${phase}`)

const MOST_ATTEMPTS = 5
/** An instance has room for few exports at once, and says when to come again. */
const TOO_MANY = 429
const DEEPEST = 5

/** An export that goes on where the one before ended. */
type Walk = { readonly type: LinesType; readonly filter: string; readonly cursor: string; readonly depth: number }

type Answered = { readonly status: number; readonly body: string; readonly ms: number }
type Get = (path: string, accept?: string) => Answered
type Sent = { readonly ok: boolean; readonly ms: number }

/**
 * For the init context of a virtual user.
 *
 * @param rampSeconds as of `reportReader`
 * @returns sends the next request of this virtual user
 */
export function exportReader(settings: CommonSettings, rampSeconds: number): (run: RunContext) => void {
  const meter = requestMeter('reports', LATENCIES)
  const retried = new Map(SENDING_PHASES.map((phase) => [phase, new Counter(`reports_retried_${phase}`)]))
  // A place in a feed, and a cursor, are a tenant's.
  const feeds = new Map<number, FeedPlace>()
  const walks = new Map<number, Walk>()

  const send: Readonly<Record<ExportEndpoint, (get: Get, turn: number, random: Random) => Sent>> = {
    changes(get, turn) {
      const place = feeds.get(turn) ?? feedFrom(Date.now())
      const { status, body, ms } = get(changesQuery(place))
      const page = status === 200 ? parsedJson(body) : undefined
      if (!isFeedPage(page)) return { ok: false, ms }
      feeds.set(turn, { since: place.since, cursor: page.nextCursor })
      return { ok: true, ms }
    },
    export(get, turn, random) {
      const before = walks.get(turn)
      const filter = before?.filter ?? exportFilter(random, Date.now())
      const type = before?.type ?? (random() < 0.5 ? CSV : NDJSON)
      const { status, body, ms } = get(exportQuery(filter, before?.cursor), type)
      const end = status === 200 ? exportEnd(type, body) : undefined
      const depth = (before?.depth ?? 0) + 1
      if (typeof end?.cursor === 'string' && depth < DEEPEST) {
        walks.set(turn, { type, filter, cursor: end.cursor, depth })
      } else walks.delete(turn)
      return { ok: end !== undefined && (end.cursor === null || end.lines === EXPORT_LINES), ms }
    },
    table(get, _turn, random) {
      const { status, body, ms } = get(tableQuery(random, Date.now()), CSV)
      return { ok: status === 200 && body.startsWith('start,calls,'), ms }
    },
  }

  /** Asks again when too many export, as the answer says; the time of all attempts counts, and the pauses. */
  function getter(endpoint: ExportEndpoint, turn: number, phase: SendingPhase): Get {
    return (path, accept) => {
      const headers = { ...requestHeaders(settings, turn), ...(accept === undefined ? {} : { accept }) }
      const began = Date.now()
      for (let attempt = 1; ; attempt++) {
        const response = http.get(`${settings.apiUrl}${path}`, { headers, tags: { name: endpoint }, timeout: '60s' })
        if (response.status !== TOO_MANY || attempt === MOST_ATTEMPTS) {
          const ms = attempt === 1 ? response.timings.duration : Date.now() - began
          return { status: response.status, body: String(response.body ?? ''), ms }
        }
        retried.get(phase)?.add(1)
        sleep(Number(response.headers['Retry-After'] ?? 1))
      }
    }
  }

  return ({ startedAt }) => {
    const { iterationInInstance, iterationInTest } = exec.scenario
    const endpoint = exportEndpointOf(iterationInInstance)
    const turn = iterationInTest % settings.tenants
    const phase = elapsedSeconds() < rampSeconds ? 'ramp' : 'peak'
    meter.sent(phase)
    const random = seededRandom(startedAt + iterationInTest * 7919)
    const { ok, ms } = send[endpoint](getter(endpoint, turn, phase), turn, random)
    meter.ended(phase, `report_latency_${endpoint}`, ok, ms)
  }
}
