/**
 * What an export costs everybody else: p95 of single events and of reports while calls are exported, and while they are not, in
 * turns. `--help` says how to run it.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { hash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { Agent, get, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { HEADERS, ROUTES } from '@hopwhistle/contract/routes.ts'
import pg from 'pg'
import { EXIT, Usage } from '../../../../platform/command-line/failure.ts'
import { parseOptions, wholeNumber } from '../../../../platform/command-line/parse-options.ts'
import { CHECKOUT } from '../../../../platform/lib/checkout.ts'
import { startGuard } from '../../../../platform/stack/guard.ts'
import { makeTempDir } from '../../../../platform/stack/run-as.ts'
import { startIdleStack } from '../../idle/idle-stack.ts'
import { seedCalls } from '../seed-calls.ts'

const HELP = `Usage: node api/test/reporting/bench/export.bench.ts [--turns 6] [--seconds 15] [--calls 1000000] [--events 200] [--reports 40]

Starts a Postgres primary and replica, a Redis and one API instance. A tenant sends events and asks for reports, each when it is
due, whatever became of the ones before. In every second turn another tenant exports its calls, one export after the other.

  --turns N    turns with the export, and as many without (default 6)
  --seconds N  length of a turn; its first two seconds are not counted (default 15)
  --calls N    calls of the tenant that exports (default 1000000)
  --events N   events a second (default 200)
  --reports N  reports a second, of lists of calls and of metrics, each another one (default 40)

Ends with 0 when it has measured, else with 2.
`
const WARM_MS = 2_000
const say = (line: string) => process.stderr.write(`${line}\n`)

type Options = {
  readonly turns: number
  readonly seconds: number
  readonly calls: number
  readonly events: number
  readonly reports: number
}

function readOptions(args: readonly string[]): Options | 'help' {
  const { values } = parseOptions(args, {
    turns: { type: 'string', default: '6' },
    seconds: { type: 'string', default: '15' },
    calls: { type: 'string', default: '1000000' },
    events: { type: 'string', default: '200' },
    reports: { type: 'string', default: '40' },
    help: { type: 'boolean', default: false },
  })
  if (values.help) return 'help'
  return {
    turns: wholeNumber('--turns', values.turns, 1, 100),
    seconds: wholeNumber('--seconds', values.seconds, 4, 600),
    calls: wholeNumber('--calls', values.calls, 1_000, 10_000_000),
    events: wholeNumber('--events', values.events, 1, 5_000),
    reports: wholeNumber('--reports', values.reports, 1, 1_000),
  }
}

type Latencies = { readonly ingest: readonly number[]; readonly reports: readonly number[] }
const agent = new Agent({ keepAlive: true, maxSockets: 60 })

/** @returns the time until all of the answer was there, ms */
function ask(url: string, key: string, body?: string): Promise<number> {
  const startedAt = performance.now()
  return new Promise((resolve, reject) => {
    const headers = { [HEADERS.apiKey]: key, ...(body === undefined ? {} : { 'content-type': 'application/json' }) }
    const asked = request(url, { agent, headers, method: body === undefined ? 'GET' : 'POST' }, (response) => {
      response.resume()
      response.on('end', () => {
        if ((response.statusCode ?? 500) >= 300) reject(new Error(`${url} was answered ${response.statusCode}`))
        else resolve(performance.now() - startedAt)
      })
    })
    asked.on('error', reject)
    asked.end(body)
  })
}

/** Starts so many a second when they are due, and waits for all of them. */
async function steadily(perSecond: number, forMs: number, one: () => Promise<number>): Promise<readonly number[]> {
  const latencies: Promise<readonly number[]>[] = []
  const startedAt = performance.now()
  for (let n = 0; ; n++) {
    const dueAt = startedAt + (n * 1000) / perSecond
    if (dueAt - startedAt >= forMs) break
    const waitMs = dueAt - performance.now()
    if (waitMs > 0) await sleep(waitMs)
    const lateMs = Math.max(0, performance.now() - dueAt)
    const isCounted = dueAt - startedAt >= WARM_MS
    latencies.push(one().then((ms) => (isCounted ? [ms + lateMs] : [])))
  }
  return (await Promise.all(latencies)).flat()
}

async function turn(url: string, key: string, { seconds, events, reports }: Options): Promise<Latencies> {
  const event = () =>
    JSON.stringify({
      eventId: randomUUID(),
      callId: randomUUID(),
      state: 'RINGING',
      occurredAt: new Date().toISOString(),
      from: '+4930123456',
    })
  let asked = 0
  const report = () => {
    asked += 1
    const to = new Date(Date.now() - asked * 1000).toISOString()
    if (asked % 2 === 0) return `${url}${ROUTES.reportCalls}?startedTo=${to}&limit=50`
    const from = new Date(Date.now() - (24 + (asked % 200)) * 3_600_000).toISOString()
    return `${url}${ROUTES.reportMetrics}?granularity=hour&from=${from}`
  }
  const [ingest, read] = await Promise.all([
    steadily(events, seconds * 1000, () => ask(url + ROUTES.callEvent, key, event())),
    steadily(reports, seconds * 1000, () => ask(report(), key)),
  ])
  return { ingest, reports: read }
}

/** In a process of its own: reads exports to their end, one after the other, and says how many lines it has had. */
async function exportForEver(url: string, key: string): Promise<never> {
  let lines = 0
  process.on('disconnect', () => process.exit())
  setInterval(() => process.send?.(lines), 250)
  for (;;) {
    const headers = { [HEADERS.apiKey]: key, accept: 'text/csv' }
    const [response] = await once(get(url + ROUTES.reportCalls, { headers }), 'response')
    if (response.statusCode !== 200) await sleep(100)
    for await (const chunk of response)
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines += 1
  }
}

async function withExport<T>(url: string, key: string, work: () => Promise<T>): Promise<{ result: T; lines: number }> {
  let lines = 0
  const reader: ChildProcess = fork(fileURLToPath(import.meta.url), ['--export', url, key])
  reader.on('message', (had) => {
    lines = Number(had)
  })
  try {
    return { result: await work(), lines }
  } finally {
    reader.kill()
    await once(reader, 'exit')
  }
}

async function newTenant(client: pg.Client): Promise<{ id: string; key: string }> {
  const tenant = { id: randomUUID(), key: `bench-${randomUUID()}` }
  await client.query('insert into hopwhistle.tenants (id, name) values ($1, $2)', [tenant.id, 'bench'])
  await client.query('insert into hopwhistle.api_keys (tenant_id, name, key_hash, scopes) values ($1, $2, $3, $4)', [
    tenant.id,
    'bench',
    hash('sha256', tenant.key, 'buffer'),
    ['events:write', 'reports:read'],
  ])
  return tenant
}

async function run(options: Options): Promise<void> {
  const guard = startGuard()
  const dir = makeTempDir('hopwhistle-export-')
  guard.remove(dir)
  say('starting the servers')
  const stack = await startIdleStack(CHECKOUT, `${dir}/stack`, guard)
  try {
    const client = new pg.Client({ connectionString: stack.databaseUrl })
    await client.connect()
    const [busy, exporting] = [await newTenant(client), await newTenant(client)]
    say(`writing ${options.calls.toLocaleString('en')} calls`)
    for (const [{ id }, count] of [
      [exporting, options.calls],
      [busy, 100_000],
    ] as const)
      await seedCalls((text, values) => client.query(text, values), id, count)
    await client.query('vacuum analyze hopwhistle.calls')
    await client.query('checkpoint')
    await client.end()
    await stack.startApi()
    const url = stack.url()
    await turn(url, busy.key, { ...options, seconds: 4 })
    const turns: { without: Latencies; during: Latencies; lines: number }[] = []
    for (let i = 1; i <= options.turns; i++) {
      const quiet = () => turn(url, busy.key, options)
      const during = () => withExport(url, exporting.key, quiet)
      // Whichever is first in one turn is second in the next.
      let [without, exported] = [
        undefined as Latencies | undefined,
        undefined as Awaited<ReturnType<typeof during>> | undefined,
      ]
      if (i % 2 === 1) without = await quiet()
      exported = await during()
      without ??= await quiet()
      turns.push({ without, during: exported.result, lines: exported.lines })
      const p95s = (of: keyof Latencies) => `${p95(without[of]).toFixed(1)} → ${p95(exported.result[of]).toFixed(1)} ms`
      say(
        `turn ${i} of ${options.turns}: ingest ${p95s('ingest')}, reports ${p95s('reports')}, ${exported.lines.toLocaleString('en')} lines`,
      )
    }
    process.stdout.write(render(turns, options))
  } finally {
    await stack.stop()
    rmSync(dir, { recursive: true, force: true })
    guard.off()
  }
}

function render(turns: readonly { without: Latencies; during: Latencies; lines: number }[], options: Options): string {
  const lines = [
    `p95 with an export and without, ${options.turns} turns of ${options.seconds} s in turns; medians (lowest to highest)`,
  ]
  for (const what of ['ingest', 'reports'] as const) {
    const [without, during] = [turns.map((t) => p95(t.without[what])), turns.map((t) => p95(t.during[what]))]
    const ratios = turns.map((_, i) => during[i]! / without[i]!)
    lines.push(`  ${what.padEnd(8)} ${spread(without)} ms without, ${spread(during)} ms with: ${spread(ratios)} times`)
  }
  lines.push(`  exported ${spread(turns.map((t) => t.lines / options.seconds / 1000))} thousand lines a second`)
  return `${lines.join('\n')}\n`
}

const p95 = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.ceil(values.length * 0.95) - 1] ?? Number.NaN

function spread(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
  return `${median.toFixed(2)} (${sorted[0]!.toFixed(2)} to ${sorted.at(-1)!.toFixed(2)})`
}

const [mode, ...rest] = process.argv.slice(2)
if (mode === '--export') await exportForEver(rest[0]!, rest[1]!)
try {
  const options = readOptions(process.argv.slice(2))
  if (options === 'help') process.stdout.write(HELP)
  else await run(options)
} catch (error) {
  process.stderr.write(`${error instanceof Usage ? `${error.message}; see --help` : (error as Error).message}\n`)
  process.exitCode = EXIT.failed
}
agent.destroy()
