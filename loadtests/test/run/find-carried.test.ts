/** The search with real k6, against a server of known capacity: what is shown, kept and answered. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { Terminal } from '@hopwhistle/platform/command-line/terminal.ts'
import { readPlace } from '@hopwhistle/platform/machine/place.ts'
import { startGuard } from '@hopwhistle/platform/stack/guard.ts'
import { afterEach, describe, expect, test } from 'vitest'
import type { LoadtestResult } from '../../bench/evidence/loadtest-result.ts'
import { judge } from '../../bench/judge/judge.ts'
import { findCarried } from '../../bench/run/find-carried.ts'
import { measureAll } from '../../bench/run/measure-all.ts'
import { readEnvironment } from '../../bench/run/read-environment.ts'
import { remoteTarget } from '../../bench/run/target.ts'
import { k6Path, withK6 } from '../scenarios/k6.ts'
import { schemaErrors } from '../scenarios/schema.ts'
import { slowServer } from '../scenarios/slow-server.ts'
import { bench } from '../support/bench.ts'

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

/** One request after the other: what comes faster than so many a second queues. */
function capacityOf(perSecond: number): () => number {
  let freeAt = 0
  return () => {
    const now = performance.now()
    freeAt = Math.max(now, freeAt) + 1000 / perSecond
    return freeAt - now
  }
}

/** All that a measurement of this server needs; what it says while it works is in `said`. */
async function measurementOf(delayMs: () => number, neighbours: readonly string[]) {
  let requests = 0
  let onRequest: (count: number) => void = () => {}
  const server = await slowServer(() => {
    onRequest(++requests)
    return delayMs()
  })
  const here = bench()
  const guard = startGuard()
  cleanUps.push(
    () => server.close(),
    () => here.remove(),
    () => guard.off(),
  )
  const target = remoteTarget(server.url, {})
  const said: string[] = []
  const terminal: Terminal = {
    live: true,
    step: (text) => void said.push(text),
    show: () => {},
    clear: () => {},
    during: async (_what, work, done) => {
      const result = await work()
      if (done !== undefined) said.push(done(result))
      return result
    },
  }
  const k6 = { command: k6Path ?? 'k6', version: '1.8.1' }
  const resultsDir = join(here.tempDir, 'results')
  /** A k6 that gets this signal when its load has made so many requests; `runs` says which runs of it do. */
  const signalled = (signal: NodeJS.Signals, atRequest: number, runs: 'first' | 'every') => {
    const pidFile = join(here.tempDir, 'k6.pid')
    const command = join(here.tempDir, 'k6-signalled')
    writeFileSync(command, `#!/bin/sh\necho $$ >'${pidFile}'\nexec '${k6.command}' "$@"\n`, { mode: 0o755 })
    let pid = 0
    let from = 0
    onRequest = (count) => {
      // The warm-up makes requests, too.
      if (!existsSync(pidFile)) return
      const running = Number(readFileSync(pidFile, 'utf8'))
      if (running !== pid) {
        if (pid !== 0 && runs === 'first') return
        pid = running
        from = count
      }
      if (count - from === atRequest) process.kill(pid, signal)
    }
    return { ...k6, command }
  }
  return {
    here,
    signalled,
    said,
    file: join(resultsDir, 'call-state-updates.json'),
    options: {
      profile: 'smoke' as const,
      target,
      k6,
      environment: readEnvironment(await readPlace(neighbours), target, k6.version),
      scratchDir: join(here.tempDir, 'k6'),
      resultsDir,
      guard,
      terminal,
    },
  }
}

const scenarios = ['call-state-updates'] as const
const read = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as LoadtestResult

describe.skipIf(k6Path === undefined)(`a target that is not reached${withK6}`, () => {
  test('ends in the largest rate that holds, and judging again says the same', { timeout: 150_000 }, async () => {
    const { here, said, file, options } = await measurementOf(capacityOf(40), ['any'])
    const results = await findCarried(await measureAll({ ...options, scenarios }), options)

    const verdict = results[0]!.verdict!
    expect(verdict.outcome).toBe('missed')
    expect(verdict.carried?.ratePerSecond).toBeGreaterThanOrEqual(10)
    expect(verdict.carried?.ratePerSecond).toBeLessThanOrEqual(50)
    expect(verdict.metrics[0]).toMatchObject({
      name: 'rate',
      target: 100,
      measured: verdict.carried?.ratePerSecond,
      carried: true,
      status: 'missed',
    })
    expect(said[1]).toMatch(
      /^ {2}… call-state-updates: 100\/s (missed|is invalid).*; looking for the largest rate that holds$/,
    )
    expect(said.slice(2, -1).join('\n')).toMatch(/^ {6}\d+\/s held \(\d+(\.\d)? s\)$/m)

    const kept = read(file)
    expect(schemaErrors(kept)).toEqual([])
    expect(kept.steps?.length).toBe(verdict.carried?.steps.length)
    expect(judge({ ...kept, verdict: undefined as never })).toEqual(verdict)
    const judged = await here.run('judge', file)
    expect(judged.code, judged.stderr).toBe(1)
    expect(judged.stdout).toMatch(/^ {2}carried +\d+ updates\/s, p95 \d/m)
  })

  test('is answered although k6 itself was killed at the whole load', { timeout: 150_000 }, async () => {
    const { here, file, options, signalled } = await measurementOf(() => 2, ['any'])
    const killed = { ...options, k6: signalled('SIGKILL', 4, 'first'), overrides: { RATE: '4' } }
    const results = await findCarried(await measureAll({ ...killed, scenarios }), killed)

    const { outcome, carried, metrics, reasons } = results[0]!.verdict!
    expect(outcome, JSON.stringify(reasons)).toBe('missed')
    expect(carried?.steps[0]).toMatchObject({ ratePerSecond: 2, outcome: 'met' })
    expect(metrics[0]).toMatchObject({ target: 4, measured: carried?.ratePerSecond, carried: true, status: 'missed' })
    const whole = reasons.map(({ text }) => text).find((text) => text.includes('at 4 updates/s are not valid'))
    expect(whole).toMatch(/k6 was ended by signal 9 \(SIGKILL\) after \d+(\.\d)? s and left no result/)

    const kept = read(file)
    expect(schemaErrors(kept)).toEqual([])
    expect(kept.runners[0]).toMatchObject({ exitCode: 137, counters: {}, settings: { targetPerSecond: 4 } })
    const judged = await here.run('judge', file)
    expect(judged.code, judged.stdout + judged.stderr).toBe(1)
    expect(judged.stdout.replace(/\s+/g, ' ')).toContain('k6 was ended by signal 9 (SIGKILL)')
  })

  test('is no answer where k6 is killed at every rate: nothing is proved', { timeout: 150_000 }, async () => {
    const { here, said, file, options, signalled } = await measurementOf(() => 2, ['any'])
    const killed = { ...options, k6: signalled('SIGKILL', 2, 'every'), overrides: { RATE: '4' } }
    await findCarried(await measureAll({ ...killed, scenarios }), killed)

    const judged = await here.run('judge', file)
    expect(judged.code, judged.stdout + judged.stderr).toBe(2)
    expect(judged.stdout).toMatch(/no smaller rate gave valid evidence: 2 and 1 a second were tried/)
    expect(said.join('\n')).toMatch(/^ {6}2\/s is invalid: k6 was ended by signal 9/m)
  })

  test('does not wait for ever for a k6 that hangs', { timeout: 150_000 }, async () => {
    const { file, options, signalled } = await measurementOf(() => 2, ['any'])
    const hung = { ...options, k6: signalled('SIGSTOP', 4, 'first'), overdueAfterMs: 3_000 }
    const [result] = await measureAll({ ...hung, scenarios })

    expect(result?.runners[0]?.crash).toEqual({ signal: 'SIGKILL', overdueSeconds: 3 })
    expect(judge(read(file)).reasons[0]?.text).toBe(
      'k6 was still running 3 s after its load was to be over, and was stopped without a result',
    )
  })

  test('is said to be the doing of other programs by name, and repeated once', { timeout: 120_000 }, async () => {
    const { here, said, file, options } = await measurementOf(() => 400, [])
    const busybee = join(here.tempDir, 'busybee')
    symlinkSync('/bin/sh', busybee)
    for (let i = 0; i < availableParallelism(); i++) {
      const busy = spawn(busybee, ['-c', ': password-of-somebody; while :; do :; done'])
      cleanUps.push(() => {
        busy.kill('SIGKILL')
        return busy.exitCode ?? busy.signalCode ?? once(busy, 'exit')
      })
    }
    const short = { overrides: { RAMP_SECONDS: '1', PEAK_SECONDS: '4' } }
    const [result] = await measureAll({ ...options, ...short, scenarios })

    const repeated = said.filter((line) => line.includes('disturbed, and repeated once'))
    expect(repeated).toEqual([expect.stringMatching(/other programs used \d\.\d\d of \d+ cores: .*busybee \d\.\d\d/)])
    expect(result?.disturbed?.runId).not.toBe(result?.runId)
    const { outcome, reasons } = judge(read(file))
    expect(outcome).toBe('invalid')
    const text = (rule: string) => reasons.find((reason) => reason.rule === rule)?.text
    expect(text('other-programs')).toContain('busybee')
    expect(text('repeated')).toContain('busybee')
    expect(readFileSync(file, 'utf8')).not.toContain('password-of-somebody')
  })

  test('is no disturbance where the neighbour was declared', { timeout: 60_000 }, async () => {
    const { said, options } = await measurementOf(() => 400, ['any'])
    const short = { overrides: { RAMP_SECONDS: '1', PEAK_SECONDS: '3' } }
    const [result] = await measureAll({ ...options, ...short, scenarios })
    expect(said.filter((line) => line.includes('repeated'))).toEqual([])
    expect(result).not.toHaveProperty('disturbed')
    expect(result?.environment?.name).toMatch(/-cores-with-neighbours$/)
    expect(result?.environment?.neighbours).toEqual(['any'])
  })
})
