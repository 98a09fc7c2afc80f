/** Each limit of the contract at 80 % and at 95 %, and requests that a limit refuses. */
import { METRICS } from '@hopwhistle/contract/metrics.ts'
import { select } from '../promql.ts'
import { RECORDED } from '../recorded-series.ts'
import { type Scale, scaled } from '../scale.ts'
import { type Alert, RELEASE } from './alert.ts'

const BY = [...RELEASE, 'resource'] as const
const used = `max by (${BY.join(', ')}) (${RECORDED.limitUsed})`
const what = '{{ $labels.resource }} of {{ $labels.namespace }}/{{ $labels.release }}'

export const limitAlerts = (scale: Scale): readonly Alert[] => [
  {
    name: 'LimitNear',
    severity: 'ticket',
    by: BY,
    when: [[{ query: used, is: '>', value: 0.8 }]],
    lasting: scaled('5m', scale),
    needs: 'stack',
    summary: `${what} is used to {{ $value | humanizePercentage }}`,
    meaning: 'Nothing is refused yet. With more load, requests soon are.',
    runbook: 'limit-near',
    section: '{{ $labels.resource }}',
    board: 'limits',
  },
  {
    name: 'LimitReached',
    severity: 'page',
    by: BY,
    when: [[{ query: used, is: '>', value: 0.95 }]],
    lasting: scaled('1m', scale),
    needs: 'stack',
    summary: `${what} is used to {{ $value | humanizePercentage }}`,
    meaning: 'Requests, sockets or events are being refused, or are about to be.',
    runbook: 'limit-near',
    section: '{{ $labels.resource }}',
    board: 'limits',
  },
  {
    name: 'RequestsRejected',
    severity: 'ticket',
    by: [...RELEASE, 'reason'],
    when: [
      [
        {
          query: `sum by (namespace, release, reason) (rate(${METRICS.rejected}[${scaled('5m', scale)}]))`,
          is: '>',
          value: 0.1,
        },
      ],
    ],
    lasting: scaled('5m', scale),
    needs: 'stack',
    summary:
      '{{ $labels.namespace }}/{{ $labels.release }} refuses {{ $value | printf "%.1f" }} requests a second: {{ $labels.reason }}',
    meaning: 'Clients are told to retry later. No request hangs, but these are not served.',
    runbook: 'requests-rejected',
    section: '{{ $labels.reason }}',
    board: 'api',
  },
  {
    name: 'EventLoopBusy',
    severity: 'ticket',
    by: [...RELEASE, 'instance'],
    when: [
      [
        {
          query: `max by (namespace, release, instance) (min_over_time(${select(METRICS.eventLoopUtilization)}[${scaled('5m', scale)}]))`,
          is: '>',
          value: 0.9,
        },
      ],
    ],
    lasting: scaled('5m', scale),
    needs: 'stack',
    summary: 'The event loop of {{ $labels.instance }} is busy {{ $value | humanizePercentage }} of the time',
    meaning: 'All work of this instance waits for one thread: latencies rise.',
    runbook: 'event-loop-busy',
    board: 'api',
  },
]
