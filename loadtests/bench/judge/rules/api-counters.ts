import { METRICS } from '@hopwhistle/contract/metrics.ts'
import { ROUTES } from '@hopwhistle/contract/routes.ts'
import { number, plural } from '@hopwhistle/platform/document/figures.ts'
import { type Evidence, invalid, type Rule, remark } from '../../evidence/evidence.ts'
import { readSeriesName } from '../../evidence/series-name.ts'
import { countOf } from '../../evidence/totals.ts'

/** The first and the last sample lie a moment off the test's ends, and a request may end unseen. */
const TOLERANCE = 0.005

/** The API counted the same requests and deliveries as k6 did. */
export const apiCounters: Rule = {
  name: 'api-counters',
  check(evidence) {
    const { server, scenario, totals, result } = evidence
    const runners = result.runners.length
    if (server === undefined || server.api.length === 0) return []
    const unanswered = server.api.filter(({ unanswered }) => unanswered > 0)
    const reasons = unanswered.map(({ instance, unanswered }) =>
      remark(`${instance} left ${plural(unanswered, 'request')} for its metrics unanswered`),
    )
    const late = sampledLateBy(evidence)
    if (late > 0) {
      return [
        ...reasons,
        remark(
          `the servers were sampled from ${number(late, 1)} s after the load began, ` +
            'so that what the API counted is not compared with k6',
        ),
      ]
    }
    if (scenario === 'call-state-updates') {
      const sent = countOf(totals, 'updates_sent_ramp') + countOf(totals, 'updates_sent_peak')
      return [...reasons, ...compare('updates', sent, requests(evidence, [ROUTES.demoCallEvent]), runners)]
    }
    if (scenario === 'reporting-endpoints') {
      const sent = countOf(totals, 'reports_sent_ramp') + countOf(totals, 'reports_sent_peak')
      return [
        ...reasons,
        ...compare('reports', sent, requests(evidence, [ROUTES.reportMetrics, ROUTES.reportCalls]), runners),
      ]
    }
    const delivered = countOf(totals, 'messages_delivered')
    const settings = result.runners[0]?.settings
    // Each publisher's farewell goes to every subscriber and is none of the messages.
    const farewells = Number(settings?.publishers ?? 0) * Number(settings?.subscribers ?? 0)
    return [...reasons, ...compare('deliveries', delivered, sum(evidence, METRICS.liveDelivered), runners, farewells)]
  },
}

/** In seconds; 0 in a run that was sampled from before its load on. A test run in a cluster may be met on its way. */
function sampledLateBy({ server, result }: Evidence): number {
  const began = Math.min(...result.runners.map(({ startedAt }) => Date.parse(startedAt)))
  const sampled = Date.parse(server?.startedAt ?? '') + 1000 * (server?.atSeconds[0] ?? 0)
  return Number.isFinite(began) ? Math.max(0, (sampled - began) / 1000) : 0
}

function requests(evidence: Evidence, routes: readonly string[]): number {
  return sum(evidence, METRICS.httpRequests, ({ route = '' }) => routes.includes(route))
}

function sum({ server }: Evidence, name: string, matches = (_: Readonly<Record<string, string>>) => true): number {
  let total = 0
  for (const { totals } of server?.api ?? []) {
    for (const [series, grown] of Object.entries(totals)) {
      const read = readSeriesName(series)
      if (read.name === name && matches(read.labels)) total += grown
    }
  }
  return total
}

/** @param besides how much the API may count that k6 does not */
function compare(what: string, byK6: number, byApi: number, runners: number, besides = 0) {
  // One request of k6's `setup` for each runner is in there too.
  const allowed = Math.max(9 + runners, byK6 * TOLERANCE)
  if (byApi >= byK6 - allowed && byApi <= byK6 + besides + allowed) return []
  return [invalid(`k6 counted ${number(byK6)} ${what}, and the API ${number(byApi)}`)]
}
