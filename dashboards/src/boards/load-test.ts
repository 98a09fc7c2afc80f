import { SCENARIOS } from '@hopwhistle/contract/scenarios.ts'
import { figure, lines } from '../panels/panel.ts'
import { below, courseOnly, isUp, none, ofLimit, reaches } from '../panels/thresholds.ts'
import { commit, queue } from '../queries/ingest.ts'
import { cpu, eventLoop } from '../queries/instances.ts'
import { usedShare } from '../queries/limits.ts'
import { delay, delivered } from '../queries/live.ts'
import * as test from '../queries/load-test.ts'
import { waiting } from '../queries/pools.ts'
import { waits } from '../queries/postgres.ts'
import type { Query } from '../queries/query.ts'
import type { Board } from './board.ts'

const EVENTS = SCENARIOS['call-state-updates'].targets.updates
const LIVE = SCENARIOS['redis-pubsub'].targets.messages
const p95Seconds = EVENTS.p95Ms / 1000
const ofApi = (asked: Query): Query => ({ ...asked, legend: `API ${asked.legend}` })

export const loadTest: Board = {
  name: 'load-test',
  title: 'Hopwhistle: Load test',
  description: 'A load test on one time axis: what k6 measured, and what the servers did meanwhile.',
  choosesRun: true,
  rows: [
    {
      title: 'What k6 measured, all runners together',
      panels: [
        figure({
          title: 'Runners',
          unit: 'none',
          description: 'k6 processes that report. Good is the number that was started, from start to end.',
          thresholds: isUp,
          queries: [test.runners],
          runbook: 'load-test-failed',
        }),
        figure({
          title: 'Virtual users',
          unit: 'none',
          description: 'Over all runners. Good is a level line: k6 adds more only while answers are slow.',
          thresholds: courseOnly,
          queries: [test.users],
        }),
        lines({
          title: 'Requests, as k6 sent and the API answered them',
          unit: 'reqps',
          description: `Good is two lines that coincide, at ${EVENTS.ratePerSecond} a second for call events. If they differ, something between k6 and the API is saturated.`,
          thresholds: reaches(EVENTS.ratePerSecond),
          queries: [test.requests, test.answered],
          width: 16,
        }),
        lines({
          title: 'Latency, as k6 and the API measured it',
          unit: 's',
          description: `True percentiles over all runners and all instances. Good is p95 below ${EVENTS.p95Ms} ms, and k6 close to the API: the rest is network and k6 itself.`,
          thresholds: below(p95Seconds),
          queries: [
            test.latency(0.5),
            test.latency(0.95),
            test.latency(0.99),
            test.serverLatency(0.5),
            test.serverLatency(0.95),
            test.serverLatency(0.99),
          ],
          runbook: 'call-events-burn',
          width: 12,
          scale: 'log',
        }),
        lines({
          title: 'Answers by status',
          unit: 'reqps',
          description: 'As k6 saw them. Good is only 200 and 201; 0 is a request without an answer.',
          thresholds: courseOnly,
          queries: [test.requestsByStatus],
          width: 12,
        }),
        lines({
          title: 'Iterations dropped',
          unit: 'ops',
          description: 'Good is none: a test that drops iterations did not send what it should, and is invalid.',
          thresholds: none,
          queries: [test.dropped],
          runbook: 'load-test-failed',
        }),
        lines({
          title: 'Live: due and delivered',
          unit: 'mps',
          description: `Messages times subscribers. Good is lines that coincide, at ${LIVE.ratePerSecond * LIVE.subscribers} a second.`,
          thresholds: courseOnly,
          queries: [test.due, test.delivered, { ...delivered, legend: 'written by {{instance}}' }],
          runbook: 'live-burn',
        }),
        lines({
          title: 'Live: delay',
          unit: 's',
          description: `k6: from publisher to subscriber, for a sample of messages; API: from receiving to writing. Good is p95 below ${LIVE.p95Ms} ms.`,
          thresholds: below(LIVE.p95Ms / 1000),
          queries: [test.deliveryLatency(0.95), ofApi(delay(0.95)), ofApi(delay(0.99))],
          runbook: 'live-burn',
        }),
      ],
    },
    {
      title: 'What the servers did meanwhile',
      panels: [
        lines({
          title: 'Used part of each limit',
          unit: 'percentunit',
          description: 'Good is below 80 % at the peak of the test: that is the head-room.',
          thresholds: ofLimit,
          queries: [usedShare],
          runbook: 'limit-near',
          max: 1,
        }),
        lines({
          title: 'Event loop busy',
          unit: 'percentunit',
          description: 'Good is below 80 %; once an instance reaches 100 %, latencies rise.',
          thresholds: below(0.9),
          queries: [eventLoop],
          runbook: 'event-loop-busy',
          max: 1,
        }),
        lines({
          title: 'CPU of the API',
          unit: 'cores',
          description: 'By instance. Good is equal lines below 1.',
          thresholds: below(1),
          queries: [cpu],
          runbook: 'cpu-throttled',
        }),
        lines({
          title: 'Time to commit a batch',
          unit: 's',
          description: 'Good is below 50 ms at the peak.',
          thresholds: below(0.05),
          queries: [commit(0.5), commit(0.95)],
          runbook: 'call-events-burn',
        }),
        lines({
          title: 'Events and queries that wait',
          unit: 'none',
          description:
            'Events for their commit, and queries for a connection. Good is near 0: the first to grow is the bottleneck.',
          thresholds: courseOnly,
          queries: [
            { ...queue, legend: 'events, {{instance}}' },
            { ...waiting, legend: 'queries, {{pool}}' },
          ],
          runbook: 'pool-waits',
        }),
        lines({
          title: 'What busy Postgres sessions wait for',
          unit: 'none',
          description: 'Good is CPU, which is work; IO or LWLock at the peak name the next bottleneck.',
          thresholds: courseOnly,
          queries: [waits],
          stacked: true,
        }),
      ],
    },
  ],
}
