/**
 * What is measured is what is shipped: the local stack, compose.yaml and the charts run their servers with the same
 * settings, but for those that are of the place. Real servers are started with what each of them gives, and report
 * every setting that they have, so that one which only one place sets is found as well.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { LIMITS } from '@hopwhistle/contract/limits.ts'
import { SCRAPE_JOBS } from '@hopwhistle/contract/metrics.ts'
import { NUMBERS } from '@hopwhistle/platform/settings/arithmetic.ts'
import { HEALTH_CHECK, TIMEOUT_SECONDS } from '@hopwhistle/platform/settings/load-balancer.ts'
import { INITDB_ARGUMENTS, POSTGRES_MEMORY_BYTES, postgresSettings } from '@hopwhistle/platform/settings/postgres.ts'
import { redisSettings } from '@hopwhistle/platform/settings/redis.ts'
import { PROMETHEUS_FLAGS } from '@hopwhistle/platform/settings/scrapes.ts'
import { expect, test } from 'vitest'
import { SETTINGS } from '../../../api/src/config/settings.ts'
import { postgresUrl, startPostgresPair } from '../../../platform/stack/postgres-pair.ts'
import { localPrometheusConfig } from '../../../platform/stack/prometheus-config.ts'
import { startRedis } from '../../../platform/stack/redis-server.ts'
import { CHECKOUT } from '../run.ts'
import { askPostgres, askRedis, postgresToAsk, type Reported, redisAsked, workplace } from './ask-servers.ts'
import {
  chartContainer,
  chartPrometheus,
  composePrometheus,
  composeService,
  operatorIntervals,
  type PrometheusConfig,
} from './places.ts'

/** Where a server is, who reaches it, and what follows from its being a replica just now. */
const LOCAL = new Set([
  // Postgres
  ...['config_file', 'data_directory', 'hba_file', 'ident_file', 'listen_addresses', 'port', 'unix_socket_directories'],
  ...['in_hot_standby', 'primary_conninfo', 'primary_slot_name', 'transaction_read_only'],
  // Redis
  ...['bind', 'dir', 'port', 'pidfile', 'logfile'],
])

const withoutLocal = (reported: Reported): Reported =>
  Object.fromEntries(Object.entries(reported).filter(([name]) => !LOCAL.has(name)))

test('Postgres has the same settings in the local stack, in Docker and in a cluster', {
  timeout: 120_000,
}, async () => {
  const place = workplace()
  const pair = await startPostgresPair({ dir: place.dir, guard: place.guard, memoryBytes: POSTGRES_MEMORY_BYTES })
  const stack = async (port: number) =>
    withoutLocal(await askPostgres(postgresUrl(port, 'postgres', 'postgres', pair.superuserPassword)))
  const primary = await stack(pair.primary.port)
  const replica = await stack(pair.replica.port)
  await pair.stop()

  expect(Object.keys(primary).length).toBeGreaterThan(300)
  for (const name of Object.keys(postgresSettings({ memoryBytes: POSTGRES_MEMORY_BYTES }, NUMBERS)))
    expect(primary, 'a setting that this Postgres does not know').toHaveProperty([name])
  expect(primary.max_connections).toBe(`${LIMITS.postgres_connections.value}`)
  expect(replica, 'the replica of the stack').toEqual(primary)

  const ask = postgresToAsk(place)
  for (const name of ['primary', 'replica'])
    expect(withoutLocal(await ask(composeService(name).command)), `${name} in Docker`).toEqual(primary)
  for (const name of ['postgres', 'postgres-replica'])
    expect(withoutLocal(await ask(chartContainer(name).args)), `${name} of the chart`).toEqual(primary)
})

test('a database is made in the same way in the local stack, in Docker and in a cluster', () => {
  expect(composeService('primary').volumes).toContain('./cdk8s/scripts/start-primary.sh:/start-primary.sh:ro')
  const [, ofChart] =
    / initdb (.*) >/.exec(readFileSync(join(CHECKOUT, 'cdk8s/scripts/start-primary.sh'), 'utf8')) ?? []
  const ofPlace = /^--(pgdata|username|auth)=/
  expect(ofChart?.split(' ').filter((argument) => !ofPlace.test(argument))).toEqual(INITDB_ARGUMENTS)
})

test('Redis has the same settings in the local stack, in Docker and in a cluster', { timeout: 60_000 }, async () => {
  const place = workplace()
  const server = await startRedis({ dir: place.dir, guard: place.guard })
  const stack = withoutLocal(await askRedis(server.url))
  await server.stop()

  expect(Object.keys(stack)).toEqual(expect.arrayContaining(Object.keys(redisSettings({ memoryBytes: 1 }, NUMBERS))))
  expect(stack.maxmemory).toBe(`${LIMITS.redis_memory.value}`)
  expect(stack.maxclients).toBe(`${LIMITS.redis_connections.value}`)
  const docker = await redisAsked(composeService('redis').command.slice(1), place)
  expect(withoutLocal(docker), 'Redis in Docker').toEqual(stack)
  const chart = await redisAsked(chartContainer('redis').args, place)
  expect(withoutLocal(chart), 'Redis of the chart').toEqual(stack)
})

test('servers have the same memory in Docker and in a cluster', () => {
  const inDocker = (service: string) => composeService(service).mem_limit?.replace('m', 'Mi').replace('2g', '2048Mi')
  const inCluster = (workload: string) => chartContainer(workload).resources.limits.memory
  expect(inDocker('primary')).toBe(inCluster('postgres'))
  expect(inDocker('replica')).toBe(inCluster('postgres-replica'))
  expect(inDocker('redis')).toBe(inCluster('redis'))
})

test('Prometheus scrapes as often in the local stack, in Docker and in a cluster', () => {
  const stack = scrapes(JSON.parse(localPrometheusConfig([], [], [])))
  expect(Object.keys(stack.jobs)).toEqual(Object.values(SCRAPE_JOBS))
  expect(scrapes(composePrometheus()), 'Prometheus in Docker').toEqual(stack)
  expect(scrapes(chartPrometheus().config), 'Prometheus of the chart').toEqual(stack)
  const ofOperator = operatorIntervals()
  expect(ofOperator.length).toBe(4)
  for (const [name, interval] of ofOperator) expect(interval, name).toBe(stack.every)
  for (const flag of PROMETHEUS_FLAGS) {
    expect(composeService('prometheus').command).toContain(flag)
    expect(chartPrometheus().args).toContain(flag)
  }
})

const haproxy = readFileSync(join(CHECKOUT, 'compose/haproxy.cfg'), 'utf8')
const seconds = (text: string | undefined) => Number(/^(\d+)s$/.exec(text ?? '')?.[1])

test('the balancer waits as long as its definition says, and longer than an API instance takes', () => {
  const timeouts = [...haproxy.matchAll(/^ {2}timeout (\S+) (\S+)$/gm)].map(([, name = '', time]) => [
    name,
    seconds(time),
  ])
  const ofResolvers = { resolve: 1, retry: 1 }
  expect(Object.fromEntries(timeouts)).toEqual({ ...TIMEOUT_SECONDS, ...ofResolvers })
  expect(TIMEOUT_SECONDS.server * 1000).toBeGreaterThan(SETTINGS.requestTimeoutMs.fallback)
  const connections = Number(/^ {2}maxconn (\d+)$/m.exec(haproxy)?.[1])
  expect(composeService('balancer').ulimits?.nofile).toBeGreaterThan(connections * 2 + 100)
})

test('an instance is asked for its health in the same way in Docker and in a cluster, and noticed while it drains', () => {
  const [, every, fall, rise] = /^ {2}default-server inter (\S+) fall (\d+) rise (\d+)$/m.exec(haproxy) ?? []
  const { httpGet, ...probe } = chartContainer('api').readinessProbe
  expect(haproxy).toContain(`http-check send meth GET uri ${httpGet.path}\n`)
  expect(probe).toEqual({
    periodSeconds: seconds(every),
    timeoutSeconds: TIMEOUT_SECONDS.check,
    failureThreshold: Number(fall),
    successThreshold: Number(rise),
  })
  const noticedMs = HEALTH_CHECK.everySeconds * HEALTH_CHECK.failures * 1000
  expect(noticedMs).toBeLessThan(SETTINGS.shutdownDrainMs.fallback)
})

const hasHaproxy = spawnSync('haproxy', ['-v']).status === 0

test.skipIf(!hasHaproxy)(`HAProxy accepts its configuration${hasHaproxy ? '' : ' (missing: haproxy)'}`, () => {
  execFileSync('haproxy', ['-c', '-f', join(CHECKOUT, 'compose/haproxy.cfg')], { stdio: 'pipe' })
})

/** How often each of our jobs is scraped and rules are evaluated, with what Prometheus itself adds. */
function scrapes({ global, scrape_configs }: PrometheusConfig) {
  const ours: readonly string[] = Object.values(SCRAPE_JOBS)
  const jobs = scrape_configs
    .filter(({ job_name }) => ours.includes(job_name))
    .map(({ job_name, scrape_interval = global.scrape_interval, scrape_timeout }) => [
      job_name,
      {
        every: seconds(scrape_interval),
        timeout: scrape_timeout === undefined ? Math.min(10, seconds(scrape_interval)) : seconds(scrape_timeout),
      },
    ])
  return { every: global.scrape_interval, evaluated: global.evaluation_interval, jobs: Object.fromEntries(jobs) }
}
