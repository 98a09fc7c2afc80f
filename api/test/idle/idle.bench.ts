/**
 * What a platform with nothing to do costs: CPU of an API instance, of the Postgres primary and replica, and of Redis.
 * `--help` says how to run it.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { checkoutAt } from '../../../platform/checkout/checkout-at.ts'
import { providePackages } from '../../../platform/checkout/provide-packages.ts'
import { EXIT, Usage } from '../../../platform/command-line/failure.ts'
import { parseOptions, wholeNumber } from '../../../platform/command-line/parse-options.ts'
import { CHECKOUT } from '../../../platform/lib/checkout.ts'
import { startGuard } from '../../../platform/stack/guard.ts'
import { makeTempDir } from '../../../platform/stack/run-as.ts'
import { type CpuUse, cpuUse, readCpu } from './cpu-reading.ts'
import { type IdleStack, type Part, startIdleStack } from './idle-stack.ts'

const HELP = `Usage: node api/test/idle/idle.bench.ts [--base COMMIT] [--turns 3] [--seconds 20] [--settle 10]

Starts a Postgres primary and replica, a Redis and one API instance, sends them nothing, and prints what each uses of
one core, and how often its threads are woken.

  --base COMMIT   measures that commit too, in turns with this checkout, and prints the ratio
  --turns N       windows that each side is measured in (default 3)
  --seconds N     length of a window (default 20)
  --settle N      seconds from a ready instance to its window (default 10)
  --help          prints this

Ends with 0 when it has measured, else with 2. Linux only.
`

type Measured = Readonly<Record<Part, CpuUse>>
type Side = { readonly name: string; readonly stack: IdleStack; readonly turns: Measured[] }
type Options = { readonly base: string | undefined; turns: number; seconds: number; settle: number }

const PARTS: readonly Part[] = ['api', 'primary', 'replica', 'redis']
const say = (line: string) => process.stderr.write(`${line}\n`)

function readOptions(args: readonly string[]): Options | 'help' {
  const { values } = parseOptions(args, {
    base: { type: 'string' },
    turns: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '20' },
    settle: { type: 'string', default: '10' },
    help: { type: 'boolean', default: false },
  })
  if (values.help) return 'help'
  return {
    base: values.base,
    turns: wholeNumber('--turns', values.turns, 1, 100),
    seconds: wholeNumber('--seconds', values.seconds, 1, 600),
    settle: wholeNumber('--settle', values.settle, 0, 600),
  }
}

/** One instance, from its start to its stop: its neighbours of the other side have none meanwhile. */
async function measure({ stack }: Side, { seconds, settle }: Options): Promise<Measured> {
  const pids = await stack.startApi()
  await sleep(settle * 1000)
  const read = () => PARTS.map((part) => [part, readCpu(pids[part])] as const)
  const before = new Map(read())
  await sleep(seconds * 1000)
  const used = read().map(([part, after]) => [part, cpuUse(before.get(part)!, after)] as const)
  await stack.stopApi()
  return Object.fromEntries(used) as Measured
}

async function run(options: Options): Promise<void> {
  if (process.platform !== 'linux') throw new Usage(`CPU is read from /proc, which ${process.platform} does not have`)
  const guard = startGuard()
  const dir = makeTempDir('hopwhistle-idle-')
  guard.remove(dir)
  const sides: Side[] = []
  try {
    const checkouts = [['here', CHECKOUT]]
    if (options.base !== undefined) {
      const base = join(dir, 'base')
      checkoutAt(options.base, base)
      await providePackages(base, { signal: new AbortController().signal, onLine: say })
      checkouts.push([options.base, base])
    }
    for (const [name = '', checkout = ''] of checkouts) {
      say(`starting the servers of ${name}`)
      sides.push({ name, stack: await startIdleStack(checkout, join(dir, `stack-${sides.length}`), guard), turns: [] })
    }
    for (let turn = 1; turn <= options.turns; turn++) {
      // Whoever is first in one turn is last in the next: the machine may grow slower or faster meanwhile.
      for (const side of turn % 2 === 1 ? sides : sides.toReversed()) {
        const used = await measure(side, options)
        side.turns.push(used)
        const shares = PARTS.map((part) => `${part} ${used[part].percent.toFixed(2)} %`).join(', ')
        say(`turn ${turn} of ${options.turns}, ${side.name}: ${shares}`)
      }
    }
    process.stdout.write(render(sides, options))
  } finally {
    await Promise.allSettled(sides.map(({ stack }) => stack.stop()))
    rmSync(dir, { recursive: true, force: true })
    guard.off()
  }
}

function render(sides: readonly Side[], { turns, seconds }: Options): string {
  const [here, base] = sides
  const lines = [`idle, ${turns} × ${seconds} s; share of a core, median (lowest to highest), wake-ups a second`]
  for (const part of PARTS) {
    const columns = sides.map(({ name, turns }) => {
      const share = spread(turns.map((turn) => turn[part].percent))
      return `${name} ${share} % ${median(turns.map((turn) => turn[part].wakeUpsPerSecond))
        .toFixed(0)
        .padStart(4)}/s`
    })
    const ratios = base?.turns.map((turn, i) => here!.turns[i]![part].percent / turn[part].percent)
    if (ratios !== undefined) columns.push(`ratio ${spread(ratios)}`)
    lines.push(`  ${part.padEnd(8)} ${columns.join('   ')}`)
  }
  return `${lines.join('\n')}\n`
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

function spread(values: readonly number[]): string {
  return `${median(values).toFixed(2)} (${Math.min(...values).toFixed(2)}–${Math.max(...values).toFixed(2)})`
}

try {
  const options = readOptions(process.argv.slice(2))
  if (options === 'help') process.stdout.write(HELP)
  else await run(options)
} catch (error) {
  process.stderr.write(`${error instanceof Usage ? `${error.message}; see --help` : (error as Error).message}\n`)
  process.exitCode = EXIT.failed
}
