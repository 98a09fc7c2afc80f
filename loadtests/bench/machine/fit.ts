import { number, plural } from '../judge/format.ts'
import { wholeNumber } from '../lib/parse-options.ts'
import type { Environment } from '../sample/environment.ts'
import { mostInstances } from '../stack/api-instances.ts'
import { type CpuAllowance, readCpuAllowance, usableCores } from './cpu-allowance.ts'

/** How large a stack and its generator are on a machine that they share. The load is the same on every machine. */
export type Fit = { readonly apiInstances: number; readonly subscriberVUs: number }

/** More would not make the load of the profiles faster. */
const MOST_INSTANCES = 3
const MOST_SUBSCRIBER_VUS = 4

/**
 * One API instance for every two cores: the other one is for k6, Postgres and Redis. One subscribing VU for each core,
 * for every VU parses all frames for itself and none uses more than one core.
 */
export function fitFor(allowance: CpuAllowance): Fit {
  const cores = usableCores(allowance)
  const between = (least: number, most: number, value: number) => Math.max(least, Math.min(most, Math.floor(value)))
  return {
    apiInstances: between(1, MOST_INSTANCES, cores / 2),
    subscriberVUs: between(1, MOST_SUBSCRIBER_VUS, cores),
  }
}

/** `2 cores`, `2 cores, of which a CPU quota allows 0.5`. */
export function coresText({ cores, quotaCores }: CpuAllowance): string {
  const quota = quotaCores === undefined ? '' : `, of which a CPU quota allows ${Number(quotaCores.toFixed(2))}`
  return `${plural(cores, 'core')}${quota}`
}

/** What suits this machine, with what the user set in its place. @throws {Usage} */
export function readFit(env: NodeJS.ProcessEnv = process.env, allowance: CpuAllowance = readCpuAllowance()): Fit {
  const { apiInstances, subscriberVUs } = fitFor(allowance)
  return {
    apiInstances: wholeNumber(
      'API_INSTANCES',
      env.API_INSTANCES || String(Math.min(apiInstances, mostInstances())),
      1,
      64,
    ),
    subscriberVUs: wholeNumber('SUBSCRIBER_VUS', env.SUBSCRIBER_VUS || String(subscriberVUs), 1, 10_000),
  }
}

/** `2 cores, single-threaded score 1,200: 1 API instance, 2 subscriber VUs`. */
export function machineText(machine: Environment['machine'], { apiInstances, subscriberVUs }: Partial<Fit>): string {
  const score = machine.singleThreadScore
  const parts = [
    ...(apiInstances === undefined ? [] : [plural(apiInstances, 'API instance')]),
    ...(subscriberVUs === undefined ? [] : [plural(subscriberVUs, 'subscriber VU')]),
  ]
  return `${coresText(machine)}${score === undefined ? '' : `, single-threaded score ${number(score.perSecond)}`}: ${parts.join(', ')}`
}
