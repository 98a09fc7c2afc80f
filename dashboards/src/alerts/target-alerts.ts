/** Alerts on missing metrics, because without metrics no other alert can fire. */
import { METRICS, SCRAPE_JOBS } from '@hopwhistle/contract/metrics.ts'
import { anyOf, select } from '../promql.ts'
import { type Scale, scaled } from '../scale.ts'
import { type Alert, RELEASE } from './alert.ts'

const jobs = anyOf(Object.values(SCRAPE_JOBS))
const servers = anyOf([SCRAPE_JOBS.postgres, SCRAPE_JOBS.redis])
/** Also in the smallest scale: one failed scrape on a busy machine does not mean that a target is down. */
const FOUR_SCRAPES_SECONDS = 20
const byJob = 'by (namespace, release, job)'

const goneReplica = `label_replace(max by (${RELEASE.join(', ')}) (pg_hopwhistle_replication_streaming) < 1, "server", "replica", "", "")`
/**
 * Whether each target answers, except the exporter of a replica that is gone: it waits for its server for up to minutes,
 * and ReplicaGone reports that already.
 */
const answers = `${select('up', { job: jobs })} unless on (${RELEASE.join(', ')}, server) (${goneReplica})`

export const targetAlerts = (scale: Scale): readonly Alert[] => [
  {
    name: 'TargetDown',
    severity: 'page',
    by: [...RELEASE, 'job', 'instance'],
    when: [[{ query: `max by (namespace, release, job, instance) (${answers})`, is: '<', value: 1 }]],
    lasting: scaled('2m', scale, FOUR_SCRAPES_SECONDS),
    needs: 'stack',
    summary:
      '{{ $labels.instance }} ({{ $labels.job }}) of {{ $labels.namespace }}/{{ $labels.release }} cannot be scraped',
    meaning: 'It is down, or cut off from Prometheus. Its metrics are missing in both cases.',
    runbook: 'target-down',
    board: 'overview',
  },
  {
    name: 'MetricsMissing',
    severity: 'page',
    by: [...RELEASE, 'job'],
    // How many targets of the last hour are still scraped. A target that left the discovery has no `up`.
    when: [
      [
        {
          query: `count ${byJob} (${select('up', { job: jobs })}) or 0 * count ${byJob} (last_over_time(${select('up', { job: jobs })}[${scaled('1h', scale)}]))`,
          is: '<',
          value: 1,
        },
      ],
      // Servers that were never found, although an API was.
      [
        {
          query: `count ${byJob} (${select('up', { job: servers })}) or ${Object.entries(SCRAPE_JOBS)
            .filter(([name]) => name !== 'api')
            .map(
              ([, job]) =>
                `label_replace(0 * max by (namespace, release) (${select(METRICS.limit)}), "job", "${job}", "", "")`,
            )
            .join(' or ')}`,
          is: '<',
          value: 1,
        },
      ],
    ],
    lasting: scaled('5m', scale),
    needs: 'stack',
    summary: 'Prometheus has no target of {{ $labels.job }} for {{ $labels.namespace }}/{{ $labels.release }}',
    meaning: 'Alerts about it cannot fire, and boards are empty.',
    runbook: 'metrics-missing',
    board: 'overview',
  },
]
