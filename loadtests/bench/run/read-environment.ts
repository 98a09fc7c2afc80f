import { execFile } from 'node:child_process'
import { arch, availableParallelism, cpus, platform, release, totalmem, type } from 'node:os'
import { promisify } from 'node:util'
import { ANY_NEIGHBOUR, type Environment } from '../sample/environment.ts'
import { CHECKOUT } from '../stack/stack-record.ts'
import type { Target } from './target.ts'

const git = async (...args: string[]): Promise<string> =>
  (await promisify(execFile)('git', ['-C', CHECKOUT, ...args], { encoding: 'utf8' })).stdout.trim()

/**
 * Where and with what this measurement is made.
 *
 * @param neighbours programs that are declared to belong to the machine: its baseline has a name of its own
 */
export async function readEnvironment(
  target: Target,
  k6Version: string,
  neighbours: readonly string[] = [],
): Promise<Environment> {
  const { versions, apiInstances, apiSettings, replicas, onThisMachine } = target
  const { name, machine, source } = await readPlace(neighbours)
  return {
    name,
    machine,
    ...(neighbours.length === 0 ? {} : { neighbours }),
    versions: { node: process.versions.node, ...versions, k6: k6Version },
    source,
    stack: { apiInstances, apiSettings, replicas, generatorOnSameMachine: onThisMachine },
  }
}

/** The machine that this runs on, and what is checked out here. */
export async function readPlace(
  neighbours: readonly string[] = [],
): Promise<Pick<Environment, 'name' | 'machine' | 'source'>> {
  const cores = availableParallelism()
  return {
    name: environmentName(process.env.HOPWHISTLE_ENVIRONMENT, cores, neighbours),
    machine: {
      os: type(),
      kernel: release(),
      architecture: arch(),
      cpuModel: cpus()[0]?.model.trim().replace(/\s+/g, ' ') ?? 'unknown',
      cores,
      memoryBytes: totalmem(),
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

/** `linux-x64-2-cores-with-ffmpeg`: a machine with a neighbour is not to be taken for the same one when it is quiet. */
function environmentName(given: string | undefined, cores: number, neighbours: readonly string[]): string {
  if (given !== undefined && /^[a-z0-9][a-z0-9.-]*$/i.test(given)) return given
  const names = neighbours.includes(ANY_NEIGHBOUR) ? ['neighbours'] : neighbours
  const beside = names.map((name) => `-with-${name.toLowerCase().replaceAll(/[^a-z0-9.-]+/g, '-')}`)
  return `${platform()}-${arch()}-${cores}-cores${beside.join('')}`
}
