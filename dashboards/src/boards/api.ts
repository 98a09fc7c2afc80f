import { LIMITS } from '@hopwhistle/contract/limits.ts'
import { SLOS } from '@hopwhistle/contract/slos.ts'
import { figure, lines } from '../panels/panel.ts'
import { below, courseOnly, isUp, none, ofLimitAt } from '../panels/thresholds.ts'
import * as http from '../queries/http.ts'
import * as ingest from '../queries/ingest.ts'
import * as instances from '../queries/instances.ts'
import * as reports from '../queries/reports.ts'
import * as retention from '../queries/retention.ts'
import type { Board } from './board.ts'

const P95_SECONDS = SLOS['call-state-updates'].p95Ms / 1000

export const api: Board = {
  name: 'api',
  title: 'Hopwhistle: API',
  description: 'What the instances are asked, how they answer, and what they use.',
  rows: [
    {
      title: 'Requests',
      panels: [
        lines({
          title: 'Requests by route',
          unit: 'reqps',
          description: 'Answered requests. Good is the course that you expect: a sudden step has a cause outside.',
          thresholds: courseOnly,
          queries: [http.byRoute],
        }),
        lines({
          title: 'Requests by status',
          unit: 'reqps',
          description:
            'Good is 200 and 304 alone. 4xx is what clients do wrong, 429 and 503 a limit, 500 a fault of ours.',
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
          description:
            'Good are lines that lie on each other: the load is spread. A flat one takes no new connections.',
          thresholds: courseOnly,
          queries: [http.byInstance],
        }),
      ],
    },
    {
      title: 'Call events',
      panels: [
        lines({
          title: 'What became of events',
          unit: 'eps',
          description:
            'Good is applied, with some late and duplicate ones, as providers send them. Conflict and refused are none.',
          thresholds: courseOnly,
          queries: [ingest.outcomes],
          stacked: true,
        }),
        lines({
          title: 'Time to commit a batch',
          unit: 's',
          description:
            'From handing a batch to Postgres to its commit. Good is below 50 ms; it is part of every event’s latency.',
          thresholds: below(0.05),
          queries: [ingest.commit(0.5), ingest.commit(0.95), ingest.commit(0.99)],
          runbook: 'call-events-burn',
        }),
        lines({
          title: 'Events a batch',
          unit: 'none',
          description:
            'Larger batches are how the platform takes more load: growing is well, 500 all the time is the end of it.',
          thresholds: below(500),
          queries: [ingest.batchSize(0.5), ingest.batchSize(0.95)],
        }),
        lines({
          title: 'Events waiting for their commit',
          unit: 'none',
          description: `Good is a few hundred at most; from ${LIMITS.ingest_queue.value} on, events are answered 503.`,
          thresholds: ofLimitAt(LIMITS.ingest_queue.value),
          queries: [ingest.queue],
          runbook: 'limit-near',
        }),
        lines({
          title: 'Batches written again',
          unit: 'ops',
          description: 'By SQLSTATE of what failed. Good is none; a few while Postgres is restarted are normal.',
          thresholds: none,
          queries: [ingest.retries],
          runbook: 'postgres-down',
        }),
        lines({
          title: 'Published late',
          unit: 'ops',
          description: 'Batches that the sweeper had to publish, because who committed them did not. Good is none.',
          thresholds: none,
          queries: [ingest.republished],
          runbook: 'redis-down',
        }),
      ],
    },
    {
      title: 'Reports',
      panels: [
        lines({
          title: 'Where reports were read',
          unit: 'reqps',
          description: 'Good is cache and replica. Primary means that the replica is not there, or not far enough.',
          thresholds: courseOnly,
          queries: [reports.sources],
          runbook: 'replica-gone',
          width: 12,
          stacked: true,
        }),
        lines({
          title: 'Report cache',
          unit: 'ops',
          description: 'Good are hits and joined. Skipped means that Redis does not answer.',
          thresholds: courseOnly,
          queries: [reports.cache],
          runbook: 'redis-down',
          width: 12,
          stacked: true,
        }),
      ],
    },
    {
      title: 'Retention',
      panels: [
        lines({
          title: 'Deleted for their age',
          unit: 'ops',
          description: 'Calls and their events. Good is about what came in as many days ago as they are kept.',
          thresholds: courseOnly,
          queries: [retention.deletedCalls, retention.deletedEvents],
          width: 16,
        }),
        figure({
          title: 'All old calls gone',
          unit: 'dateTimeFromNow',
          description: 'When everything too old was last found deleted. Good is within two hours; 1970 is not yet.',
          thresholds: courseOnly,
          queries: [retention.lastPass],
          width: 8,
        }),
      ],
    },
    {
      title: 'Instances',
      panels: [
        lines({
          title: 'Event loop busy',
          unit: 'percentunit',
          description:
            'The part of the time in which an instance computes. Good is below 80 %: above, everything waits.',
          thresholds: below(0.9),
          queries: [instances.eventLoop],
          runbook: 'event-loop-busy',
          max: 1,
        }),
        lines({
          title: 'Event loop late by',
          unit: 's',
          description: 'How late timers were at worst, each process for itself. Good is below 50 ms.',
          thresholds: below(0.1),
          queries: [instances.eventLoopLag],
          runbook: 'event-loop-busy',
        }),
        lines({
          title: 'CPU',
          unit: 'cores',
          description: 'Cores that an instance uses. Good is below 1: most of its work is on one thread.',
          thresholds: below(1),
          queries: [instances.cpu],
          runbook: 'cpu-throttled',
        }),
        lines({
          title: 'Memory',
          unit: 'bytes',
          description: 'Resident memory. Good is a level line; one that climbs for hours is a leak.',
          thresholds: courseOnly,
          queries: [instances.memory],
          runbook: 'memory-near-limit',
        }),
        lines({
          title: 'Heap in use',
          unit: 'bytes',
          description: 'Good are saw teeth whose lowest points do not rise.',
          thresholds: courseOnly,
          queries: [instances.heap],
          runbook: 'memory-near-limit',
        }),
        lines({
          title: 'Garbage collection',
          unit: 'percentunit',
          description: 'The part of the time that collecting takes, over all instances. Good is below 5 % of each.',
          thresholds: below(0.1),
          queries: [instances.gc],
        }),
        lines({
          title: 'Open files',
          unit: 'none',
          description: 'Files and sockets of an instance. Good follows its connections; 1,000 sockets are the limit.',
          thresholds: courseOnly,
          queries: [instances.openFiles],
        }),
        figure({
          title: 'Running since',
          unit: 's',
          description: 'Good is since the last deployment. An instance that is younger than the others was restarted.',
          thresholds: courseOnly,
          queries: [instances.startedAt],
          width: 8,
        }),
        figure({
          title: 'Node versions',
          unit: 'none',
          description: 'Instances by version of Node. Good is one version, but during a rollout.',
          thresholds: isUp,
          queries: [instances.versions],
          width: 8,
        }),
      ],
    },
  ],
}
