/** Says which runs may be compared: those of equal machine, measuring set-up and load. */
import { createHash } from 'node:crypto'
import type { Environment } from '../sample/environment.ts'

export type Fingerprinted = {
  readonly scenario: string
  readonly profile: string
  readonly runners: number
  readonly load: Readonly<Record<string, number>>
  readonly environment: Environment
}

const GIB = 1024 ** 3

/**
 * The servers' versions, the kernel and the machine's score are not part of it. They are what may have changed something,
 * so a change names them instead. k6 is the instrument: of another version it measures otherwise.
 *
 * @returns 12 hexadecimal digits: equal for runs whose figures may be compared
 */
export function fingerprintOf(run: Fingerprinted): string {
  const { name, machine, versions, stack, generatorPriority, neighbours = [] } = run.environment
  const compared = [
    run.scenario,
    run.profile,
    run.runners,
    sorted(run.load),
    name,
    [machine.os, machine.architecture, machine.cpuModel, machine.cores, machine.quotaCores ?? machine.cores],
    // The kernel keeps some for itself, more or less from version to version.
    Math.round(machine.memoryBytes / GIB),
    [...neighbours].sort(),
    versions.k6.replace(/^v/, ''),
    [stack.apiInstances, sorted(stack.apiSettings ?? {}), stack.replicas, stack.generatorOnSameMachine],
    sorted(generatorPriority ?? {}),
  ]
  return createHash('sha256').update(JSON.stringify(compared)).digest('hex').slice(0, 12)
}

const sorted = (values: object): readonly (readonly [string, unknown])[] =>
  Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1))
