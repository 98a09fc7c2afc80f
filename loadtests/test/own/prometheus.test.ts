/** The figures of servers in the result of a script, from a real Prometheus. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { waitUntil } from '@hopwhistle/platform/lib/wait-until.ts'
import { freePort } from '@hopwhistle/platform/machine/free-port.ts'
import { onPath } from '@hopwhistle/platform/machine/run-program.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { OwnResult } from '../../bench/own/own-result.ts'
import { prometheusAt } from '../../bench/own/prometheus.ts'
import { k6Path } from '../scenarios/k6.ts'
import { bench } from '../support/bench.ts'
import { type Service, startService } from './service.ts'

const command = onPath('prometheus')

describe.skipIf(k6Path === undefined || command === undefined)('with k6 and Prometheus', { timeout: 300_000 }, () => {
  let service: Service
  let prometheus: ChildProcess
  let url: string
  let dir: string
  const here = bench({ HOPWHISTLE_MEASURING_DIR: join(tmpdir(), 'hopwhistle-own-prometheus-test') })

  beforeAll(async () => {
    service = await startService()
    dir = await mkdtemp(join(tmpdir(), 'hopwhistle-prometheus-'))
    const target = { job_name: 'shop', static_configs: [{ targets: [`127.0.0.1:${service.port}`] }] }
    // JSON is YAML.
    await writeFile(
      join(dir, 'prometheus.yml'),
      JSON.stringify({ global: { scrape_interval: '1s' }, scrape_configs: [target] }),
    )
    url = `http://127.0.0.1:${await freePort()}`
    prometheus = spawn(
      command ?? '',
      [
        `--config.file=${dir}/prometheus.yml`,
        `--storage.tsdb.path=${dir}/data`,
        `--web.listen-address=${url.slice(7)}`,
      ],
      { stdio: 'ignore' },
    )
    const scraped = async () => (await (await fetch(`${url}/api/v1/query?query=shop_workers`)).text()).includes('"10"')
    await waitUntil('Prometheus to look at the service', scraped, { timeoutMs: 60_000 })
  })
  afterAll(async () => {
    prometheus?.kill('SIGKILL')
    await service?.close()
    here.remove()
    await rm(dir, { recursive: true, force: true })
  })

  async function run(servers: object, address = url) {
    const path = join(dir, 'shop.targets.yaml')
    await writeFile(path, JSON.stringify({ name: 'shop', targets: { http_reqs: 'count>=10' }, servers }))
    const script = fileURLToPath(new URL('scripts/plain.js', import.meta.url))
    const args = [
      '--targets',
      path,
      '--prometheus',
      address,
      '--env',
      `BASE_URL=${service.url}`,
      '--results-dir',
      dir,
      '--wait',
    ]
    return here.run('run', script, ...args)
  }

  test('names what was used up, with its figures, and keeps every series', async () => {
    const { code, stdout, stderr } = await run({
      workers: { query: 'shop_workers_busy', unit: 'workers', limit: 'shop_workers' },
      requests: { query: 'rate(shop_requests_total[3s])', unit: 'requests/s', limit: 1e9 },
    })
    expect(stdout, stderr).toMatch(
      /limited by +workers, from second \d+ on \(workers 9(\.0)? of 10 workers, 9(\.0)? at most, 90 %\)/,
    )
    expect(code).toBe(0)
    const { servers, runners } = JSON.parse(await readFile(join(dir, 'shop.json'), 'utf8')) as OwnResult
    const [workers, requests] = servers
    expect(workers?.series[0]?.labels).toContain('job="shop"')
    // The load is seen where it was.
    const most = Math.max(...(requests?.series[0]?.points.map(([, value]) => value) ?? []))
    const sent = runners[0]?.metrics.http_reqs?.values.count ?? 0
    expect(most).toBeGreaterThan(sent / 20)
  })

  test('refuses a query before the load begins, in the words of Prometheus', async () => {
    const before = service.requests()
    const { code, stderr } = await run({
      workers: { query: 'rate(shop_requests_total)' },
      others: { query: 'shop_workers' },
    })
    expect(stderr).toMatch(/workers: .*expected type range vector/)
    expect(code).toBe(2)
    expect(service.requests()).toBe(before)
  })

  test('does not begin without Prometheus, and shows no password', async () => {
    const { code, stdout, stderr } = await run({}, `http://someone:s3cret@127.0.0.1:${await freePort()}`)
    expect(stdout + stderr).toMatch(/Prometheus at http:\/\/127\.0\.0\.1:\d+ cannot be asked\. it does not answer/)
    expect(stdout + stderr).not.toContain('s3cret')
    expect(code).toBe(2)
  })

  test('says what it does not know', async () => {
    const [figures] = await prometheusAt(url).figures(
      { nothing: { query: 'no_such_metric' } },
      Date.now() - 5_000,
      Date.now() - 1_000,
    )
    expect(figures).toMatchObject({
      name: 'nothing',
      series: [],
      problem: 'the query has no answer for the time of the run',
    })
  })
})
