/** Runners of one test that are started one after the other, each a real k6. */
import { setTimeout as sleep } from 'node:timers/promises'
import { portIsFree } from '@hopwhistle/platform/machine/free-port.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { k6Path, type Run, resultOf, runK6, withK6 } from './k6.ts'
import { type SlowServer, slowServer } from './slow-server.ts'

const APART_MS = 2_000
const MINUTE = 60_000
const LOAD = { PROFILE: 'smoke', RATE: '30', VUS: '6', RAMP_SECONDS: '1', PEAK_SECONDS: '1', RUN_ID: 'together' }

describe.skipIf(k6Path === undefined)(`runners of one test${withK6}`, () => {
  let server: SlowServer
  beforeAll(async () => {
    server = await slowServer(() => 1)
  })
  afterAll(() => server?.close())

  /** @param ports their first four digits; the last one is the number of the runner */
  const start = (runner: number, runners: number, ports: number): Promise<Run> =>
    runK6(
      'call-state-updates.ts',
      {
        ...{ ...LOAD, API_URL: server.url, PARALLELISM: String(runners), INSTANCE: `test-${runner}` },
        RUNNER_URL: `http://127.0.0.1:${ports}{}`,
      },
      [
        ...['--address', `127.0.0.1:${ports}${runner}`],
        ...['--execution-segment', `${runner - 1}/${runners}:${runner}/${runners}`],
      ],
    )

  test(
    'begin their load together, however far apart they were started',
    async () => {
      const ports = await freePorts()
      const startedAt: number[] = []
      const runs: Promise<Run>[] = []
      for (const runner of [2, 1, 3]) {
        startedAt.push(Date.now())
        runs.push(start(runner, 3, ports))
        await sleep(APART_MS)
      }
      const results = await Promise.all(
        (await Promise.all(runs)).map((run, i) => {
          // 99: a threshold was missed, as on a busy machine.
          expect([0, 99], run.stderr).toContain(run.code)
          return resultOf(run, `call-state-updates-test-${[2, 1, 3][i]}.json`)
        }),
      )
      const began = results.map(({ runners }) => Date.parse(runners[0]!.startedAt))
      expect(Math.min(...began)).toBeGreaterThan(startedAt.at(-1)!)
      expect(Math.max(...began) - Math.min(...began)).toBeLessThan(startedAt.at(-1)! - startedAt[0]!)
      for (const { runners } of results) expect(runners[0]?.counters.setup_requests).toBeGreaterThan(1)
    },
    2 * MINUTE,
  )

  test(
    'do not begin without one of them, and say which',
    async () => {
      const run = await start(1, 2, await freePorts())
      expect(run.code).toBe(108)
      expect(run.stderr).toContain('runner 2: not ready within 31 s, so that runners cannot begin together')
    },
    2 * MINUTE,
  )
})

async function freePorts(): Promise<number> {
  for (;;) {
    const ports = 1_500 + Math.floor(Math.random() * 1_700)
    const free = await Promise.all([1, 2, 3].map((runner) => portIsFree(ports * 10 + runner)))
    if (free.every(Boolean)) return ports
  }
}
