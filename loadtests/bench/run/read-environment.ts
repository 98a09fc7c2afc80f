import { execFile } from 'node:child_process'
import { arch, cpus, platform, release, totalmem, type } from 'node:os'
import { promisify } from 'node:util'
import { type CpuAllowance, readCpuAllowance } from '../machine/cpu-allowance.ts'
import { measureSingleThreadScore, type SingleThreadScore } from '../machine/single-thread-score.ts'
import { ANY_NEIGHBOUR, type Environment } from '../sample/environment.ts'
import { CHECKOUT } from '../stack/stack-record.ts'
import type { Target } from './target.ts'

const git = async (...args: string[]): Promise<string> =>
  (await promisify(execFile)('git', ['-C', CHECKOUT, ...args], { encoding: 'utf8' })).stdout.trim()

/** Where a measurement is made, as far as it does not depend on what is measured. */
export type Place = Pick<Environment, 'name' | 'machine' | 'source' | 'neighbours'>

/** Where and with what this measurement is made. */
export function readEnvironment(place: Place, target: Target, k6Version: string): Environment {
  const { name, machine, source, neighbours } = place
  const { versions, apiInstances, apiSettings, replicas, onThisMachine } = target
  return {
    name,
    machine,
    ...(neighbours === undefined ? {} : { neighbours }),
    versions: { node: process.versions.node, ...versions, k6: k6Version },
    source,
    stack: { apiInstances, apiSettings, replicas, generatorOnSameMachine: onThisMachine },
  }
}

let score: SingleThreadScore | undefined

/**
 * The machine that this runs on, and what is checked out here. The first call takes a second, for the machine's score:
 * make it before any load.
 *
 * @param neighbours programs that are declared to belong to the machine: its baseline has a name of its own
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

/** Results of this very measurement do not make a checkout dirty: they are not part of what was measured. */
export async function readSource(): Promise<Environment['source']> {
  try {
    const commit = await git('rev-parse', 'HEAD')
    const changed = await git('status', '--porcelain', '--', '.', ':!loadtests/baselines', ':!docs')
    return { commit, dirty: changed !== '' }
  } catch {
    return {}
  }
}

/** `linux-x64-2-cores-with-ffmpeg`: a machine with a quota or a neighbour is not the same one when it is quiet. */
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
