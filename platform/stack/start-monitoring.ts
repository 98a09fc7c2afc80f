/**
 * Starts Prometheus and its exporters for the local platform, and Grafana where it is installed, with the same boards and
 * alerts as in Kubernetes.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { CHECKOUT } from '../lib/checkout.ts'
import { freePort, portIsFree } from '../machine/free-port.ts'
import { PROMETHEUS_FLAGS } from '../settings/scrapes.ts'
import type { MonitoringTools } from '../tools/find-monitoring.ts'
import type { Guard } from './guard.ts'
import { localPrometheusConfig, type ScrapedServer } from './prometheus-config.ts'
import { type ServerProcess, startServer, waitForServer } from './server-process.ts'
import type { MonitoringDetails, StackDetails } from './stack-record.ts'
import { RUNBOOK_FILES, writeRules } from './write-rules.ts'

export type MonitoringOptions = {
  readonly dir: string
  readonly tools: MonitoringTools
  readonly details: StackDetails
  readonly guard: Guard
  /** Called with each process as soon as it runs. */
  readonly onStart: (server: ServerProcess) => void
}

type Program = {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  /** Contains the passwords. Never put them into the arguments, which every user can list. */
  readonly env: Readonly<Record<string, string>>
  readonly url: string
  /** Answers 2xx once it is ready. */
  readonly ready: string
}

const DASHBOARDS = join(CHECKOUT, 'dashboards')
const POSTGRES_QUERIES = join(DASHBOARDS, 'exporters', 'postgres-queries.yaml')
const USUAL_PROMETHEUS_PORT = 9090
const USUAL_GRAFANA_PORT = 3000
const READY_TIMEOUT_MS = 30_000

/** @throws when one does not become ready: with the end of its log */
export async function startMonitoring(options: MonitoringOptions): Promise<MonitoringDetails> {
  const { tools, details } = options
  const dir = join(options.dir, 'monitoring')
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const { owner, ownerReplica, redis } = details.urls
  const postgres = (server: 'primary' | 'replica', url: string) =>
    startExporter({ ...options, dir }, { job: 'postgres', instance: server, labels: { server } }, (address) => ({
      command: tools.postgresExporter,
      args: [`--web.listen-address=${address}`, `--extend.query-path=${POSTGRES_QUERIES}`],
      env: { DATA_SOURCE_NAME: `${url}?sslmode=disable` },
    }))
  const servers = await Promise.all([
    postgres('primary', owner),
    postgres('replica', ownerReplica),
    startExporter({ ...options, dir }, { job: 'redis', instance: 'redis' }, (address) => ({
      command: tools.redisExporter,
      args: [],
      env: { REDIS_ADDR: redis, REDIS_EXPORTER_WEB_LISTEN_ADDRESS: address },
    })),
  ])
  const grafanaUrl = tools.grafana === undefined ? undefined : await urlAt(USUAL_GRAFANA_PORT)
  const runbooks = process.env.RUNBOOKS_URL
  const rules = writeRules(
    join(dir, 'rules'),
    runbooks === undefined ? grafanaUrl : undefined,
    runbooks ?? RUNBOOK_FILES,
  )
  const config = localPrometheusConfig(details.api, servers, rules)
  const prometheus = await startProgram(options, dir, await prometheusProgram(tools.prometheus, dir, config))
  if (tools.grafana === undefined || grafanaUrl === undefined) return { prometheus }
  const grafana = grafanaProgram(tools.grafana, dir, grafanaUrl, prometheus)
  return { prometheus, grafana: await startProgram(options, dir, grafana) }
}

async function startExporter(
  options: MonitoringOptions,
  server: Omit<ScrapedServer, 'exporterPort'>,
  program: (address: string) => Pick<Program, 'command' | 'args' | 'env'>,
): Promise<ScrapedServer> {
  const exporterPort = await freePort()
  const url = `http://127.0.0.1:${exporterPort}`
  const name = `exporter of ${server.instance}`
  await startProgram(options, options.dir, {
    ...program(`127.0.0.1:${exporterPort}`),
    name,
    url,
    ready: '/metrics',
  })
  return { ...server, exporterPort }
}

/** A URL on this machine, with the usual port if it is free. */
async function urlAt(usualPort: number): Promise<string> {
  const port = (await portIsFree(usualPort, '0.0.0.0')) ? usualPort : await freePort()
  return `http://127.0.0.1:${port}`
}

async function prometheusProgram(command: string, dir: string, config: string): Promise<Program> {
  const configFile = join(dir, 'prometheus.yml')
  writeFileSync(configFile, config, { mode: 0o600 })
  const url = await urlAt(USUAL_PROMETHEUS_PORT)
  return {
    name: 'prometheus',
    command,
    args: [
      `--config.file=${configFile}`,
      `--storage.tsdb.path=${join(dir, 'data')}`,
      '--storage.tsdb.retention.time=1d',
      `--web.listen-address=${new URL(url).host}`,
      ...PROMETHEUS_FLAGS,
      '--log.level=warn',
    ],
    env: {},
    url,
    ready: '/-/ready',
  }
}

function grafanaProgram(command: string, dir: string, url: string, prometheusUrl: string): Program {
  return {
    name: 'grafana',
    command,
    args: ['server', '--homepath', process.env.GRAFANA_HOME ?? join(dirname(command), '..', 'share', 'grafana')],
    env: {
      GF_PATHS_DATA: join(dir, 'grafana'),
      GF_PATHS_LOGS: join(dir, 'grafana'),
      GF_PATHS_PROVISIONING: join(DASHBOARDS, 'provisioning'),
      GF_SERVER_HTTP_ADDR: '127.0.0.1',
      GF_SERVER_HTTP_PORT: new URL(url).port,
      GF_SECURITY_ADMIN_PASSWORD: randomBytes(18).toString('base64url'),
      GF_AUTH_ANONYMOUS_ENABLED: 'true',
      GF_ANALYTICS_REPORTING_ENABLED: 'false',
      PROMETHEUS_URL: prometheusUrl,
      HOPWHISTLE_DASHBOARDS: join(DASHBOARDS, 'grafana'),
      // Alerts are shown, but not sent.
      HOPWHISTLE_PAGE_WEBHOOK: url,
      HOPWHISTLE_TICKET_WEBHOOK: url,
    },
    url,
    ready: '/api/health',
  }
}

async function startProgram({ guard, onStart }: MonitoringOptions, dir: string, program: Program): Promise<string> {
  const { name, command, args, env, url, ready } = program
  const server = await startServer({
    name,
    command,
    args,
    cwd: dir,
    env: { PATH: process.env.PATH ?? '', HOME: dir, ...env },
    logFile: join(dir, `${name.replaceAll(' ', '-')}.log`),
    stopSignal: 'SIGTERM',
    guard,
  })
  onStart(server)
  await waitForServer(server, async () => (await fetch(`${url}${ready}`)).ok, READY_TIMEOUT_MS)
  return url
}
