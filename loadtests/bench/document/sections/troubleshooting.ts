import { METRICS } from '@hopwhistle/contract/metrics.ts'
import { DEFAULT_PORT, ROUTES } from '@hopwhistle/contract/routes.ts'
import { blocks, bullets, code } from '@hopwhistle/platform/document/markdown.ts'

const API = `http://localhost:${DEFAULT_PORT}`

export function troubleshootingSection(): string {
  return blocks(
    '## Troubleshooting',
    '### Common issues',
    '**High latency**',
    bullets([
      `Is an event loop busy (\`${METRICS.eventLoopUtilization}\`), or do queries wait for a connection (\`${METRICS.poolWaiting}\`)?`,
      'Which statements take the time, and what do sessions wait for? Both commands are below.',
      'Is the machine out of CPU, k6 included? Then the verdict says so, and a generator on another machine helps.',
    ]),
    '**Connection errors**',
    bullets([
      `429 and 503 say which limit was reached, in the body and in \`${METRICS.rejected}\`; Retry-After says when to come back.`,
      `\`${METRICS.usage}\` close to \`${METRICS.limit}\` names the resource; the tables above name the variable that sets it.`,
      `A port in use, a firewall, a wrong key: \`curl --verbose ${API}${ROUTES.health}\` tells them apart.`,
    ]),
    '**Memory that grows**',
    bullets([
      'Does `nodejs_heap_size_used_bytes` fall after garbage collection? If not, compare two snapshots of `node --inspect`.',
      `Does \`${METRICS.liveSockets}\` fall when clients go? Each open socket keeps its subscription and its buffer.`,
      `Does \`${METRICS.ingestQueue}\` return to 0? What waits there has not been committed.`,
    ]),
    '**An invalid run** is explained by the sentence below its table: it quotes what was found and what was expected. ' +
      '[troubleshooting.md](troubleshooting.md) goes through the rest, from installing to shutting down.',
    '### Debug commands',
    'With the platform that `make up` started; `platform/with-stack.ts` fills in its addresses. `psql` and `redis-cli` come with ' +
      'the clients of Postgres and Redis.',
    code(
      'bash',
      '# Health of the API, and what it knows of Postgres, replica and Redis',
      `curl ${API}${ROUTES.health}`,
      '',
      '# Every process with its port, memory and health',
      'make status',
      '',
      '# Connections to Redis',
      `npx node platform/with-stack.ts sh -c 'redis-cli -u "$REDIS_URL" INFO clients'`,
      '',
      '# Connections to the primary, by what they are doing',
      `npx node platform/with-stack.ts sh -c 'psql "$MIGRATION_DATABASE_URL" -c \\`,
      `  "select application_name, state, count(*) from pg_stat_activity group by 1, 2 order by 3 desc"'`,
      '',
      '# What sessions wait for at this moment',
      `npx node platform/with-stack.ts sh -c 'psql "$MIGRATION_DATABASE_URL" -c \\`,
      `  "select state, wait_event_type, wait_event, count(*) from pg_stat_activity where state is not null group by 1, 2, 3"'`,
      '',
      '# The statements that take the most time',
      `npx node platform/with-stack.ts sh -c 'psql "$MIGRATION_DATABASE_URL" -c \\`,
      `  "select calls, round(mean_exec_time::numeric, 2) as mean_ms, left(query, 80) from pg_stat_statements order by total_exec_time desc limit 10"'`,
      '',
      '# Limits and their use, of one instance',
      `curl --silent ${API}${ROUTES.metrics} | grep -E '^hopwhistle_(limit|usage)'`,
    ),
  )
}
