import { wholeNumber } from '../command-line/parse-options.ts'
import { type CpuAllowance, readCpuAllowance, usableCores } from '../machine/cpu-allowance.ts'
import { mostInstances } from './api-instances.ts'

/** More instances do not help under the load of the load tests. */
const MOST_INSTANCES = 3

/** One API instance for every two cores: the other one is for Postgres, Redis and the load generator. */
export const instancesFor = (allowance: CpuAllowance): number =>
  Math.max(1, Math.min(MOST_INSTANCES, Math.floor(usableCores(allowance) / 2)))

/** The number for this machine, unless API_INSTANCES is set. @throws {Usage} */
export function readInstances(env: NodeJS.ProcessEnv = process.env, allowance = readCpuAllowance()): number {
  const suits = Math.min(instancesFor(allowance), mostInstances())
  return wholeNumber('API_INSTANCES', env.API_INSTANCES || String(suits), 1, 64)
}
