/** The whole job, small: that a stopped measurement goes on, what it keeps, and that Helm takes its answer. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { waitUntil } from '@hopwhistle/platform/lib/wait-until.ts'
import { cpuCgroupOfProcess } from '@hopwhistle/platform/machine/cpu-cgroup.ts'
import { makeCpuGroup } from '@hopwhistle/platform/machine/cpu-group.ts'
import { lookForHelm } from '@hopwhistle/platform/tools/find-helm.ts'
import { afterAll, expect, test } from 'vitest'
import { readCapacity } from '../../bench/capacity/capacity-files.ts'
import { bench } from '../support/bench.ts'

const CHART = fileURLToPath(new URL('../../../charts/hopwhistle', import.meta.url))
const here = bench({ HOPWHISTLE_NEIGHBOUR: 'any' })
afterAll(() => here.remove())

const CORES_EACH = 0.5
const file = `${here.tempDir}/results/capacity.json`
const measure = [
  'capacity',
  '--smoke',
  '--no-check',
  '--instances',
  '1,2',
  '--workload',
  'call-state-updates',
  '--steps',
  '3',
]
const options = [...measure, '--cpu', String(CORES_EACH), '--output', file]

/** Why this user may not, if so. */
async function whyNotLimited(): Promise<string | undefined> {
  try {
    await makeCpuGroup('test').remove()
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

test('a measurement that was stopped goes on, and is answered for the chart', async ({ skip }) => {
  const why = await whyNotLimited()
  if (why !== undefined) return skip(why)
  const { child, ended } = here.start(...options)
  await waitUntil('the first step', () => existsSync(file), { timeoutMs: 150_000, everyMs: 100 })
  child.kill('SIGINT')
  const stopped = await ended
  expect(stopped.code, stopped.stderr).toBe(2)
  expect(stopped.stderr).toContain('go on with --resume')
  const [before] = readCapacity(file).points[0]!.steps
  expect(here.leftProcesses()).toEqual([])

  const whole = await here.run(...options, '--resume')
  expect(whole.code, whole.stderr).toBe(0)
  const result = readCapacity(file)
  expect(result.points.map(({ instances }) => instances)).toEqual([1, 2])
  expect(result.points[0]!.steps[0]).toEqual(before)
  for (const { instances, steps } of result.points) {
    expect(steps.length).toBeGreaterThan(0)
    for (const { use } of steps) expect(use?.cpu.api ?? 0).toBeLessThan(1.2 * instances * CORES_EACH)
  }
  const groups = cpuCgroupOfProcess('self')?.folders.flatMap((folder) => readdirSync(folder)) ?? []
  expect(groups.filter((name) => /^hopwhistle-\d+-api-/.test(name))).toEqual([])

  const page = readFileSync(file.replace('.json', '.html'), 'utf8')
  expect(page).toContain('Steps of profile smoke say nothing about the capacity.')
  const samePage = `${here.tempDir}/again.html`
  const again = await here.run('capacity', '--from', file, '--report', samePage)
  expect(again.code, again.stderr).toBe(0)
  expect(readFileSync(samePage, 'utf8')).toBe(page)
  expect(whole.stdout).toContain(again.stdout.trim())
}, 600_000)

test('Helm takes the values, and the chart has the pods and the pool that they say', async ({ skip }) => {
  const helm = lookForHelm()
  if (helm === undefined) return skip('Helm is not installed')
  const kept = `${here.tempDir}/known.json`
  const { capacityWith } = await import('../fixtures/capacity-of.ts')
  writeFileSync(kept, JSON.stringify(capacityWith({ sigma: 0.02, kappa: 0 }, [1, 2, 3])))
  const load = ['capacity', '--from', kept, '--for', 'events=2000,reports=50,subscribers=500']
  const { code, stdout, stderr } = await here.run(...load, '--values')
  expect(code, stderr).toBe(0)
  const values = `${here.tempDir}/values.yaml`
  writeFileSync(values, stdout)
  const [, pods] = /^ {2}replicas: (\d+)$/m.exec(stdout) ?? []
  const [, pool] = /^ {4}postgresPool: (\d+)$/m.exec(stdout) ?? []
  const manifest = execFileSync(helm, ['template', CHART, '--values', values], { encoding: 'utf8' })
  expect(manifest).toMatch(new RegExp(`^ {2}replicas: ${pods}$`, 'm'))
  expect(manifest).toMatch(new RegExp(`POSTGRES_POOL_SIZE\\n +value: "${pool}"`))
  expect((await here.run(...load)).stdout).toContain(`${pods} pods of 1 core`)
})

test('what is wrong is said with what it may be', async () => {
  for (const [args, message] of [
    [['--values'], '--values needs a load: --for events=N,reports=N,subscribers=N'],
    [['--for', 'events=ten'], '--for has "events=ten"; it may be events=N, reports=N, subscribers=N'],
    [['--for', 'subscribers=5'], 'events or reports must be above 0'],
    [['--cpu', '0'], '--cpu is "0"; it must be a number of cores'],
    [['--report', 'page.html'], '--report needs --from'],
    [['--from', `${here.tempDir}/none.json`], 'none.json cannot be read'],
  ] as const) {
    const { code, stderr } = await here.run('capacity', ...args)
    expect(code).toBe(2)
    expect(stderr).toContain(message)
  }
  const wrong = `${here.tempDir}/wrong.json`
  writeFileSync(wrong, JSON.stringify({ format: 'hopwhistle.capacity/1', points: [] }))
  expect((await here.run('capacity', '--from', wrong)).stderr).toMatch(
    /is not a capacity measurement: .*must have required property/,
  )
})
