import { METRICS } from '@hopwhistle/contract/metrics.ts'
import { DEFAULT_PORT, ROUTES } from '@hopwhistle/contract/routes.ts'
import { blocks, bullets, table } from '@hopwhistle/platform/document/markdown.ts'

const metric = (...names: readonly (keyof typeof METRICS)[]): string =>
  names.map((name) => `\`${METRICS[name]}\``).join(', ')

export function monitoringSection(): string {
  return blocks(
    '## Performance monitoring',
    '### Key metrics',
    'The API',
    table(
      ['What', 'Metric'],
      [
        ['Requests and errors, by route and status', metric('httpRequests')],
        ['Response time, with an edge at every latency target', metric('httpDuration')],
        ['Requests in flight, open WebSockets', metric('httpInFlight', 'liveSockets')],
        ['Every limit and its use', metric('limit', 'usage')],
        ['What was refused, and why', metric('rejected')],
        ['How busy the event loop is', metric('eventLoopUtilization')],
        ['Group commit: size, time, queue', metric('ingestBatchSize', 'ingestCommit', 'ingestQueue')],
        ['Live delivery: written, delayed', metric('liveDelivered', 'liveDelay')],
      ],
    ),
    'The database',
    table(
      ['What', 'Where'],
      [
        ['Time of each statement', '`pg_stat_statements`: `total_exec_time`, `mean_exec_time`, `calls`'],
        ['Slow statements', 'the log, from 2 s on (`log_min_duration_statement`)'],
        ['Pool in use, and what waits for it', metric('poolConnections', 'poolWaiting', 'poolWait')],
        ['What sessions wait for, locks included', '`pg_stat_activity`: `wait_event_type`, `wait_event`'],
        ['How far the replica is behind', metric('replicaLagSeconds', 'replicaLagBytes')],
      ],
    ),
    'Redis',
    table(
      ['What', 'Where'],
      [
        ['Memory against its limit', '`INFO memory`: `used_memory`, `maxmemory`'],
        ['Connections', '`INFO clients`: `connected_clients`'],
        ['Messages published and received', metric('livePublished', 'liveReceived')],
        ['Time of each command', '`INFO commandstats`, `INFO latencystats`'],
      ],
    ),
    'The machine: CPU, memory, network and disk of each process. The tests sample them from `/proc` themselves, k6 included.',
    '### Monitoring tools',
    bullets([
      `**API:** Prometheus metrics at \`${ROUTES.metrics}\`; all instances share port ${DEFAULT_PORT}; each also has its own admin port, so that Prometheus can scrape each of them`,
      '**Database:** `pg_stat_statements`, `pg_stat_activity`, `pg_stat_wal`',
      '**Redis:** `INFO`, `LATENCY DOCTOR`',
      '**System:** `process_*` and `nodejs_*` of prom-client, `make status`; with Docker, Prometheus at http://localhost:9090',
    ]),
  )
}
