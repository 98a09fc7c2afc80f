import { LIMITS } from '@hopwhistle/contract/limits.ts'
import { SCENARIOS } from '@hopwhistle/contract/scenarios.ts'
import { lines } from '../../panels/panel.ts'
import { below, courseOnly, none, ofLimitAt } from '../../panels/thresholds.ts'
import * as http from '../../queries/http.ts'
import type { BoardRow } from '../board.ts'

const P95_SECONDS = SCENARIOS['call-state-updates'].targets.updates.p95Ms / 1000

export const requests: BoardRow = {
  title: 'Requests',
  panels: [
    lines({
      title: 'Requests by route',
      unit: 'reqps',
      description:
        'Answered requests. Good is the rate that you expect: a sudden step has a cause outside the platform.',
      thresholds: courseOnly,
      queries: [http.byRoute],
    }),
    lines({
      title: 'Requests by status',
      unit: 'reqps',
      description:
        'Good is only 200 and 304. 4xx is an error of the client, 429 and 503 a limit, 500 an error of the platform.',
      thresholds: courseOnly,
      queries: [http.byStatus],
      runbook: 'requests-rejected',
    }),
    lines({
      title: 'p95 by route',
      unit: 's',
      description: `95 % of all requests of a route took at most this. Good is below ${P95_SECONDS * 1000} ms; the live route lasts as long as its socket.`,
      thresholds: below(P95_SECONDS),
      queries: [http.p95ByRoute],
      runbook: 'call-events-burn',
      scale: 'log',
    }),
    lines({
      title: 'Requests in flight',
      unit: 'none',
      description: `Requests that an instance serves at this moment. Good is far below ${LIMITS.requests_in_flight.value}, where it answers 503.`,
      thresholds: ofLimitAt(LIMITS.requests_in_flight.value),
      queries: [http.inFlight],
      runbook: 'limit-near',
    }),
    lines({
      title: 'Refused by a limit',
      unit: 'ops',
      description: 'Requests and sockets that were refused, by the limit. Good is none.',
      thresholds: none,
      queries: [http.rejected],
      runbook: 'requests-rejected',
    }),
    lines({
      title: 'Requests by instance',
      unit: 'reqps',
      description: 'Good is lines that coincide: the load is spread evenly. A flat line gets no new connections.',
      thresholds: courseOnly,
      queries: [http.byInstance],
    }),
  ],
}
