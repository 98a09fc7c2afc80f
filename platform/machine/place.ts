import { execFile } from 'node:child_process'
import { arch, cpus, platform, release, totalmem, type } from 'node:os'
import { promisify } from 'node:util'
import { CHECKOUT } from '../lib/checkout.ts'
import { type CpuAllowance, readCpuAllowance } from './cpu-allowance.ts'
import { measureSingleThreadScore, type SingleThreadScore } from './single-thread-score.ts'

/** The machine and the source of a measurement, independent of what is measured. */
export type Place = {
  /** A file name: `linux-x64-2-cores`, or HOPWHISTLE_ENVIRONMENT. Names the baseline file. */
  readonly name: string
  readonly machine: {
    readonly os: string
    readonly kernel: string
    readonly architecture: string
    readonly cpuModel: string
    readonly cores: number
    /** CPU time that the measurement might use, as a number of cores; absent where no quota was below `cores`. */
    readonly quotaCores?: number
    readonly memoryBytes: number
    /** Absent where it was not measured: on another machine, or by an older version. */
    readonly singleThreadScore?: SingleThreadScore
  }
  /** Programs that were declared to belong to the machine: their CPU use is no disturbance. `any` is every program. */
  readonly neighbours?: readonly string[]
  readonly source: {
    /** Absent outside a git checkout. */
    readonly commit?: string
    /** Whether files differed from that commit. */
    readonly dirty?: boolean
  }
}

/** Declares every other program on the machine a neighbour. */
export const ANY_NEIGHBOUR = 'any'

const git = async (...args: string[]): Promise<string> =>
  (await promisify(execFile)('git', ['-C', CHECKOUT, ...args], { encoding: 'utf8' })).stdout.trim()

let score: SingleThreadScore | undefined

/**
 * This machine and this checkout. The first call takes a second to measure the machine's score: call it before any load.
 *
 * @param neighbours programs that are declared to belong to the machine: its baseline then has its own name
 */
export async function readPlace(neighbours: readonly string[] = []): Promise<Place> {
  const allowance = readCpuAllowance()
  score ??= measureSingleThreadScore()
  return {
    name: environmentName(process.env.HOPWHISTLE_ENVIRONMENT, allowance, neighbours),
    ...(neighbours.length === 0 ? {} : { neighbours }),
    machine: {
      os: type(),
      kernel: release(),
      architecture: arch(),
      cpuModel: cpus()[0]?.model.trim().replace(/\s+/g, ' ') ?? 'unknown',
      ...allowance,
      memoryBytes: totalmem(),
      singleThreadScore: score,
    },
    source: await readSource(),
  }
}

/** Results of measurements do not make a checkout dirty: they are not part of what is measured. */
export async function readSource(): Promise<Place['source']> {
  try {
    const commit = await git('rev-parse', 'HEAD')
    const changed = await git('status', '--porcelain', '--', '.', ':!*/baselines/*', ':!docs')
    return { commit, dirty: changed !== '' }
  } catch {
    return {}
  }
}

/** `linux-x64-2-cores-with-ffmpeg`: with a quota or a neighbour, the same machine is another environment. */
function environmentName(
  given: string | undefined,
  { cores, quotaCores }: CpuAllowance,
  neighbours: readonly string[],
): string {
  if (given !== undefined && /^[a-z0-9][a-z0-9.-]*$/i.test(given)) return given
  const quota = quotaCores === undefined ? '' : `-quota-${Number(quotaCores.toFixed(2))}`
  const names = neighbours.includes(ANY_NEIGHBOUR) ? ['neighbours'] : neighbours
  const beside = names.map((name) => `-with-${name.toLowerCase().replaceAll(/[^a-z0-9.-]+/g, '-')}`)
  return `${platform()}-${arch()}-${cores}-cores${quota}${beside.join('')}`
}
