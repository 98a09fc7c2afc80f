/**
 * What a live frame costs k6: CPU microseconds of the k6 process for each frame that its subscribers receive.
 *
 *   node loadtests/test/live/k6.bench.ts --base REF [--rounds=3] [--seconds=6] …        (--help tells the rest)
 *
 * The frames come from API instances with their publishers (`instance.ts`) over Redis, as in the load test but without
 * Postgres and HTTP. k6 runs the subscribers of the scenario `redis-pubsub`: those of this checkout and those of a
 * commit, in turns (base, here, here, base, …), and last once with a handler that does nothing, which is k6's own part.
 * With --together all run at the same time and receive the same frames: what else the machine does meets all alike.
 *
 * A turn counts only when its subscribers counted and timed exactly what was published.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { checkoutAt } from '@hopwhistle/platform/checkout/checkout-at.ts'
import { freePort } from '@hopwhistle/platform/machine/free-port.ts'
import { startRedis } from '@hopwhistle/platform/stack/redis-server.ts'
import { median, range } from '../../../comparisons/arithmetic.ts'
import { keepK6Frame } from '../../../comparisons/record.ts'
import { readFit } from '../../bench/machine/fit.ts'
import { garbageCollection } from '../../bench/run/start-k6.ts'

const HELP = `Usage: node loadtests/test/live/k6.bench.ts [options]

Measures k6's CPU for a live frame: this checkout's subscribers next to those of another commit.

  --base REF        the commit to compare with; without it only this checkout is measured
  --instances N     API instances that send the frames (default 1)
  --sockets N       subscribers (default 200)
  --rate N          messages a second (default 500)
  --tick MS         LIVE_TICK_MS of the instances (default 30)
  --vus N           VUs that share the subscribers (default: as make baseline on this machine)
  --base-vus N      the same for the base (default 10, as it was there)
  --env NAME=VALUE  environment of this checkout's k6 (default: as make baseline); may be given several times
  --seconds N       measured in each turn (default 6)
  --rounds N        each is base, here, here, base (default 3)
  --together        instead of turns, each round runs all at once, k6 itself included: for a machine that others use
  --keep            keeps the ratio for docs/performance.md; npm run comparisons -- document writes it there
  --k6 PATH         default: $K6, or k6 in GOPATH/bin
`
const number = (value: string) => ({ type: 'string', default: value }) as const
const { values } = parseArgs({
  options: {
    help: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    together: { type: 'boolean', default: false },
    base: { type: 'string' },
    instances: number('1'),
    sockets: number('200'),
    rate: number('500'),
    tick: number('30'),
    vus: number(String(readFit().subscriberVUs)),
    'base-vus': number('10'),
    env: { type: 'string', multiple: true, default: [] },
    seconds: number('6'),
    rounds: number('3'),
    k6: { type: 'string', default: process.env.K6 ?? join(process.env.GOPATH ?? join(homedir(), 'go'), 'bin', 'k6') },
  },
})
if (values.help) {
  process.stdout.write(HELP)
  process.exit(0)
}
const [sockets, rate, seconds, rounds] = [values.sockets, values.rate, values.seconds, values.rounds].map(Number) as [
  number,
  number,
  number,
  number,
]

const CHECKOUT = fileURLToPath(new URL('../../../', import.meta.url))
const SCRIPT = join('loadtests', 'scenarios', 'bench', 'subscribers.ts')
const PUBLISHERS = 10
/** As make baseline ran it at the commits that this is compared with. */
const BASE_ENV = { GOGC: '400' }
const WARM_UP_SECONDS = 2
const READY_WITHIN_MS = 60_000

type Way = {
  readonly name: string
  readonly checkout: string
  readonly vus: string
  readonly env: Readonly<Record<string, string>>
  readonly readers: 'scenario' | 'none'
}
type Usage = { readonly published: number; readonly sockets: number; readonly frames: number }
type Turn = {
  readonly usPerFrame: number
  readonly framesPerSecond: number
  readonly messagesPerFrame: number
  readonly peakMiB: number
}

const dir = mkdtempSync(join(tmpdir(), 'hopwhistle-bench-'))
const baseCheckout = join(dir, 'base')
const redis = await startRedis({ dir })
const instances: ChildProcess[] = []
let running: readonly ChildProcess[] = []
/** Ctrl-C reaches k6 as well: the turn fails, and what was started is cleaned up. */
process.on('SIGINT', () => {
  for (const k6 of running) k6.kill('SIGKILL')
})
process.on('SIGTERM', () => process.emit('SIGINT'))

try {
  if (values.base !== undefined) {
    checkoutAt(values.base, baseCheckout)
    mkdirSync(dirname(join(baseCheckout, SCRIPT)), { recursive: true })
    copyFileSync(join(CHECKOUT, SCRIPT), join(baseCheckout, SCRIPT))
  }
  const here: Way = {
    name: 'here',
    checkout: CHECKOUT,
    vus: values.vus,
    env: {
      ...garbageCollection('redis-pubsub'),
      ...Object.fromEntries(values.env.map((given) => given.split('=', 2))),
    },
    readers: 'scenario',
  }
  const base: Way = {
    name: values.base ?? '',
    checkout: baseCheckout,
    vus: values['base-vus'],
    env: BASE_ENV,
    readers: 'scenario',
  }
  const nothing: Way = { ...here, name: 'k6 itself', readers: 'none' }
  const compared = values.base === undefined ? [here] : [base, here]
  const round = values.together ? [[...compared, nothing]] : [...compared, ...compared.toReversed()].map((way) => [way])
  const turns = [...Array.from({ length: rounds }, () => round).flat(), ...(values.together ? [] : [[nothing]])]

  // All on one port, as in the stack: the kernel spreads the sockets of each VU over the instances.
  const port = String(await freePort())
  for (let i = 0; i < Number(values.instances); i++) {
    instances.push(
      fork(new URL('../../../api/test/live/bench/instance.ts', import.meta.url), [redis.url, values.tick, port]),
    )
  }
  await Promise.all(instances.map((child) => once(child, 'message')))
  const results = new Map<string, Turn[]>()
  for (const [index, ways] of turns.entries()) {
    const measured = await measure(ways, `bench-${index}`, port)
    for (const [i, turn] of measured.entries()) {
      const { name } = ways[i]!
      const { usPerFrame, framesPerSecond, messagesPerFrame, peakMiB } = turn
      results.set(name, [...(results.get(name) ?? []), turn])
      console.log(
        `${`${index + 1}/${turns.length}`.padStart(6)}  ${name.padEnd(10)}  ${usPerFrame.toFixed(1).padStart(5)} µs a frame  ` +
          `${Math.round(framesPerSecond)} frames/s of ${messagesPerFrame.toFixed(1)} messages, at most ${Math.round(peakMiB)} MiB`,
      )
    }
  }
  console.log()
  for (const [name, list] of results) {
    const us = list.map(({ usPerFrame }) => usPerFrame)
    console.log(`${name.padEnd(10)}  ${spread(us, 1)} µs of k6's CPU a frame`)
  }
  const bases = results.get(base.name)
  if (bases !== undefined) {
    // Neighbours in time: what the machine does to one it does to the other.
    const ratios = results.get(here.name)!.map(({ usPerFrame }, i) => usPerFrame / bases[i]!.usPerFrame)
    console.log(`\nhere / ${base.name}: ${spread(ratios, 2)}`)
    if (values.keep) {
      const nsPerFrame = (list: readonly Turn[]) => 1000 * median(list.map(({ usPerFrame }) => usPerFrame))
      const { path } = await keepK6Frame({
        nsPerFrame: nsPerFrame(results.get(here.name)!),
        baseNsPerFrame: nsPerFrame(bases),
        ratio: median(ratios),
        min: Math.min(...ratios),
        max: Math.max(...ratios),
        rounds: ratios.length,
      })
      console.log(`kept in ${path}; npm run comparisons -- document writes docs/performance.md`)
    }
  }
} finally {
  for (const k6 of running) k6.kill('SIGKILL')
  for (const child of instances) child.disconnect()
  await redis.stop()
  rmSync(dir, { recursive: true, force: true })
}

/** Runs a k6 for each way, all at the same time. */
async function measure(ways: readonly Way[], runId: string, port: string): Promise<Turn[]> {
  running = ways.map((way) => startK6(way, runId, port))
  const summaries = running.map(outputOf)
  const deadline = Date.now() + READY_WITHIN_MS
  while ((await usage()).sockets < sockets * ways.length) {
    const ended = running.find(({ exitCode }) => exitCode !== null)
    if (ended !== undefined) throw new Error(`k6 ended with ${ended.exitCode} before its sockets were open`)
    if (Date.now() > deadline) throw new Error(`not all ${sockets} sockets open after ${READY_WITHIN_MS} ms`)
    await sleep(100)
  }
  await askAll((i) => ({ publish: { runId, first: i, step: instances.length, ratePerSecond: rate } }))
  await sleep(WARM_UP_SECONDS * 1000)
  const look = async () => ({
    ...(await usage()),
    cpuNs: running.map(({ pid }) => cpuNsOf(pid!)),
    at: performance.now(),
  })
  const before = await look()
  await sleep(seconds * 1000)
  const after = await look()
  const peakMiB = running.map(({ pid }) => peakMiBOf(pid!))
  const stopped = await askAll(() => 'stop')
  const published = stopped.reduce((sum, one) => sum + one.published, 0)
  // Every publisher says farewell with its share of what was published: then subscribers know what was due.
  const acknowledged = (publisher: number) => (publisher === 0 ? published : 0)
  const farewells = Array.from({ length: PUBLISHERS }, (_, i) => `${runId}.end${i}.${acknowledged(i)}.1`)
  await askAll((i) => ({ farewells: i === 0 ? farewells : [] }))
  for (const [i, summary] of (await Promise.all(summaries)).entries()) {
    if (ways[i]!.readers === 'scenario') verify(JSON.parse(summary), published * sockets)
  }
  const frames = (after.frames - before.frames) / ways.length
  return ways.map((_, i) => ({
    usPerFrame: (after.cpuNs[i]! - before.cpuNs[i]!) / frames / 1000,
    framesPerSecond: frames / ((after.at - before.at) / 1000),
    messagesPerFrame: ((after.published - before.published) * sockets) / frames,
    peakMiB: peakMiB[i]!,
  }))
}

/** @throws when the subscribers' counts are not exactly what they were sent */
function verify(counted: Record<string, number>, due: number): void {
  const expected = {
    messages_delivered: due,
    messages_lost: 0,
    messages_duplicated: 0,
    messages_mismatched: 0,
    frames_malformed: 0,
    subscribers_failed: 0,
    timed: due,
  }
  for (const [name, count] of Object.entries(expected)) {
    if ((counted[name] ?? 0) !== count) throw new Error(`${name} is ${counted[name] ?? 0} and should be ${count}`)
  }
}

function startK6(way: Way, runId: string, port: string): ChildProcess {
  const env = {
    WS_URL: `ws://127.0.0.1:${port}`,
    RUN_ID: runId,
    READERS: way.readers,
    PROFILE: 'smoke',
    SUBSCRIBERS: String(sockets),
    SUBSCRIBER_VUS: way.vus,
    MESSAGES_PER_SECOND: String(rate),
    PUBLISHER_VUS: String(PUBLISHERS),
    RAMP_SECONDS: '1',
    PEAK_SECONDS: String(seconds + WARM_UP_SECONDS + 3),
  }
  const settings = Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`])
  const args = ['run', '--quiet', '--no-usage-report', '--address', '', ...settings, join(way.checkout, SCRIPT)]
  return spawn(values.k6, args, {
    env: { ...process.env, ...way.env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

async function outputOf(child: ChildProcess): Promise<string> {
  let text = ''
  child.stdout?.on('data', (part) => {
    text += part
  })
  await once(child, 'close')
  return text
}

async function askAll(what: (index: number) => unknown): Promise<Usage[]> {
  return Promise.all(
    instances.map(async (child, i) => {
      const answer = once(child, 'message') as Promise<[Usage]>
      child.send(what(i) as string)
      return (await answer)[0]
    }),
  )
}

async function usage(): Promise<Usage> {
  const all = await askAll(() => 'usage')
  const sum = (name: keyof Usage) => all.reduce((total, one) => total + one[name], 0)
  return { published: sum('published'), sockets: sum('sockets'), frames: sum('frames') }
}

/** CPU time of all threads of a process. Go keeps its threads, so none takes its time away. */
function cpuNsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/task`).reduce(
    (sum, task) => sum + Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]),
    0,
  )
}

/** The most memory that a process has had. */
function peakMiBOf(pid: number): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}

/** Median, and the range. */
function spread(list: readonly number[], digits: number): string {
  const [least, most] = range(list)
  return `${median(list).toFixed(digits)} (${least.toFixed(digits)} to ${most.toFixed(digits)})`
}
