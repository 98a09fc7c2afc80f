import { existsSync } from 'node:fs'
import { Failure } from '../command-line/failure.ts'
import type { Terminal } from '../command-line/terminal.ts'
import { onPath, runProgram } from '../machine/run-program.ts'

/** Absolute paths of the monitoring programs; Grafana only where it is installed. */
export type MonitoringTools = {
  readonly prometheus: string
  readonly postgresExporter: string
  readonly redisExporter: string
  readonly grafana: string | undefined
}

/** Debian's names have a prefix; the programs are the same. */
const NAMES = {
  prometheus: ['prometheus'],
  postgresExporter: ['postgres_exporter', 'prometheus-postgres-exporter'],
  redisExporter: ['redis_exporter', 'prometheus-redis-exporter'],
} as const
const PACKAGES = ['prometheus', 'prometheus-postgres-exporter', 'prometheus-redis-exporter']

/**
 * Finds Prometheus and its exporters on the PATH. Otherwise installs them, where that needs one command and no password.
 *
 * @throws {Failure} with what to do on this system
 */
export async function findMonitoring(terminal: Terminal, signal?: AbortSignal): Promise<MonitoringTools> {
  const found = lookUp()
  if (found !== undefined) return found
  if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) throw new Failure(howTo())
  // RUNLEVEL keeps apt from starting the services of the packages.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  const onLine = (line: string) => terminal.show(`  … apt-get: ${line}`)
  const aptGet = (...args: readonly string[]) => runProgram('apt-get', args, { env, signal, onLine })
  const install = () => aptGet('install', '-y', '--no-install-recommends', ...PACKAGES)
  const installOrUpdate = () =>
    install().catch(async () => {
      await aptGet('update')
      await install()
    })
  await terminal.during(
    `Prometheus is missing: apt-get install ${PACKAGES.join(' ')}`,
    installOrUpdate,
    () => `✓ ${'Prometheus'.padEnd(22)} installed`,
  )
  const installed = lookUp()
  if (installed === undefined) throw new Failure(howTo())
  return installed
}

function lookUp(): MonitoringTools | undefined {
  const [prometheus, postgresExporter, redisExporter] = [
    firstOf(NAMES.prometheus),
    firstOf(NAMES.postgresExporter),
    firstOf(NAMES.redisExporter),
  ]
  if (prometheus === undefined || postgresExporter === undefined || redisExporter === undefined) return undefined
  return { prometheus, postgresExporter, redisExporter, grafana: firstOf(['grafana']) }
}

const firstOf = (names: readonly string[]): string | undefined =>
  names.map((name) => onPath(name)).find((path) => path !== undefined)

function howTo(): string {
  const missing = Object.values(NAMES).filter((names) => firstOf(names) === undefined)
  return `${missing.map(([name]) => name).join(', ')} not on the PATH. Install:
  Debian, Ubuntu   sudo apt-get install --no-install-recommends ${PACKAGES.join(' ')}
  macOS            brew install prometheus redis_exporter, and postgres_exporter with Go:
  anywhere         go install github.com/prometheus-community/postgres_exporter/cmd/postgres_exporter@latest
  or use Docker    docker compose up --detach has all of it`
}
