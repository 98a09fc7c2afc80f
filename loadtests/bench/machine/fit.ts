import { wholeNumber } from '@hopwhistle/platform/command-line/parse-options.ts'
import { number, plural } from '@hopwhistle/platform/document/figures.ts'
import { type CpuAllowance, readCpuAllowance, usableCores } from '@hopwhistle/platform/machine/cpu-allowance.ts'
import { coresText } from '@hopwhistle/platform/machine/machine-line.ts'
import { instancesFor, readInstances } from '@hopwhistle/platform/stack/how-many-instances.ts'
import type { Environment } from '../sample/environment.ts'

/** How large a stack and its generator are on a machine that they share. The load is the same on every machine. */
export type Fit = { readonly apiInstances: number; readonly subscriberVUs: number }

/** More would not make the load of the profiles faster. */
const MOST_SUBSCRIBER_VUS = 4

/** One subscribing VU for each core, for every VU parses all frames for itself and none uses more than one core. */
export function fitFor(allowance: CpuAllowance): Fit {
  const cores = usableCores(allowance)
  return {
    apiInstances: instancesFor(allowance),
    subscriberVUs: Math.max(1, Math.min(MOST_SUBSCRIBER_VUS, Math.floor(cores))),
  }
}

/** What suits this machine, with what the user set in its place. @throws {Usage} */
export function readFit(env: NodeJS.ProcessEnv = process.env, allowance: CpuAllowance = readCpuAllowance()): Fit {
  const { subscriberVUs } = fitFor(allowance)
  return {
    apiInstances: readInstances(env, allowance),
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
  // Who may not list the nodes of a cluster does not know.
  const cores = machine.cores === 0 ? 'cores not known' : coresText(machine)
  return `${cores}${score === undefined ? '' : `, single-threaded score ${number(score.perSecond)}`}: ${parts.join(', ')}`
}
