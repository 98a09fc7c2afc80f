/** A real platform that a real Prometheus looks at, put under load by all three scenarios. */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { BASELINE_SCENARIOS, type ScenarioName } from '@hopwhistle/contract/scenarios.ts'
import { openTerminal } from '@hopwhistle/platform/command-line/terminal.ts'
import { freePort } from '@hopwhistle/platform/machine/free-port.ts'
import { readPlace } from '@hopwhistle/platform/machine/place.ts'
import { onPath } from '@hopwhistle/platform/machine/run-program.ts'
import { startGuard } from '@hopwhistle/platform/stack/guard.ts'
import { makeTempDir } from '@hopwhistle/platform/stack/run-as.ts'
import { stopServer } from '@hopwhistle/platform/stack/server-process.ts'
import { readRecord, type StackDetails } from '@hopwhistle/platform/stack/stack-record.ts'
import { startStack } from '@hopwhistle/platform/stack/start-stack.ts'
import { stopStack } from '@hopwhistle/platform/stack/stop-stack.ts'
import { findK6 } from '@hopwhistle/platform/tools/find-k6.ts'
import { findMonitoring } from '@hopwhistle/platform/tools/find-monitoring.ts'
import { findRedis } from '@hopwhistle/platform/tools/find-redis.ts'
import type { LoadtestResult } from '../../bench/evidence/loadtest-result.ts'
import { measureScenario } from '../../bench/run/measure-scenario.ts'
import { readEnvironment } from '../../bench/run/read-environment.ts'
import { stackTarget } from '../../bench/run/target.ts'
import { REMOTE_WRITE_URL } from '../../kubernetes/remote-write.ts'

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
    for (const scenario of BASELINE_SCENARIOS) {
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
