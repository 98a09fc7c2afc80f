/** A real platform that a real Prometheus looks at, put under load by all three scenarios. */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { SCENARIOS, type ScenarioName } from '@hopwhistle/contract/slos.ts'
import { freePort } from '../../loadtests/bench/lib/free-port.ts'
import { onPath } from '../../loadtests/bench/lib/run-program.ts'
import { openTerminal } from '../../loadtests/bench/lib/terminal.ts'
import { measureScenario } from '../../loadtests/bench/run/measure-scenario.ts'
import { readEnvironment, readPlace } from '../../loadtests/bench/run/read-environment.ts'
import { stackTarget } from '../../loadtests/bench/run/target.ts'
import { startGuard } from '../../loadtests/bench/stack/guard.ts'
import { makeTempDir } from '../../loadtests/bench/stack/run-as.ts'
import { stopServer } from '../../loadtests/bench/stack/server-process.ts'
import { readRecord, type StackDetails } from '../../loadtests/bench/stack/stack-record.ts'
import { startStack } from '../../loadtests/bench/stack/start-stack.ts'
import { stopStack } from '../../loadtests/bench/stack/stop-stack.ts'
import { findK6 } from '../../loadtests/bench/tools/find-k6.ts'
import { findMonitoring } from '../../loadtests/bench/tools/find-monitoring.ts'
import { findRedis } from '../../loadtests/bench/tools/find-redis.ts'
import { REMOTE_WRITE_URL } from '../../loadtests/kubernetes/remote-write.ts'
import type { LoadtestResult } from '../../loadtests/results-format.ts'

export type MonitoredStack = {
  readonly details: StackDetails
  readonly prometheusUrl: string
  readonly results: ReadonlyMap<ScenarioName, LoadtestResult>
  /** Of the load, in Unix seconds. */
  readonly fromSeconds: number
  readonly toSeconds: number
  /** As a crash would. */
  killReplica(): Promise<void>
  stop(): Promise<void>
}

/** What is missing for it on this machine; undefined when nothing is. */
export const missing = (): string | undefined =>
  [
    ['prometheus'],
    ['postgres_exporter', 'prometheus-postgres-exporter'],
    ['redis_exporter', 'prometheus-redis-exporter'],
  ]
    .find((names) => names.every((name) => onPath(name) === undefined))
    ?.at(-1)

export async function monitoredStack(): Promise<MonitoredStack> {
  const terminal = openTerminal({ write: () => true })
  const scratchDir = makeTempDir('hopwhistle-monitored-')
  const dir = join(scratchDir, 'stack')
  mkdirSync(dir, { mode: 0o711 })
  const guard = startGuard()
  guard.remove(scratchDir)
  const stop = async () => {
    const record = readRecord(dir)
    if (record !== undefined) await stopStack(dir, record)
    guard.off()
    rmSync(scratchDir, { recursive: true, force: true })
  }
  try {
    const details = await startStack({
      dir,
      port: { number: await freePort(), when: 'preferred' },
      host: '127.0.0.1',
      instances: 2,
      demoData: true,
      redisServer: await findRedis(terminal),
      monitoring: await findMonitoring(terminal),
      guard,
      terminal,
    })
    const prometheusUrl = details.monitoring?.prometheus ?? ''
    const k6 = await findK6(terminal)
    const target = stackTarget(readRecord(dir)?.processes ?? [], details)
    const environment = readEnvironment(await readPlace(), target, k6.version)
    const fromSeconds = Date.now() / 1000
    const results = new Map<ScenarioName, LoadtestResult>()
    for (const scenario of SCENARIOS) {
      const result = await measureScenario({
        scenario,
        profile: 'smoke',
        target,
        k6,
        environment,
        scratchDir,
        // A rate takes two pushes: a peak of eight seconds has hardly that many of every five.
        k6Environment: {
          [REMOTE_WRITE_URL]: `${prometheusUrl}/api/v1/write`,
          K6_PROMETHEUS_RW_PUSH_INTERVAL: '1s',
        },
        guard,
        terminal,
      })
      results.set(scenario, result)
    }
    const killReplica = async () => {
      const replica = readRecord(dir)?.processes.find(({ name }) => name === 'postgres replica')
      if (replica === undefined) throw new Error('there is no replica to kill')
      await stopServer(replica, 10_000)
    }
    return { details, prometheusUrl, results, fromSeconds, toSeconds: Date.now() / 1000, killReplica, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
