/**
 * What `bench capacity` measures: `hopwhistle.capacity/1`. Nothing that can be computed is stored: the costs, the law
 * and every answer are worked out from the steps. `npm run results:schema` writes `capacity.schema.json` from this.
 */
import { BASELINE_SCENARIOS, type ProfileName, type ScenarioName } from '@hopwhistle/contract/scenarios.ts'
import type { AboveZero, Count, Time } from '../../results-format.ts'
import type { Outcome } from '../evidence/verdict.ts'
import type { Environment } from '../sample/environment.ts'

export const CAPACITY_FORMAT = 'hopwhistle.capacity/1'

/** What capacity is measured for: each kind of load alone, and all of them together. */
export const WORKLOADS: readonly ScenarioName[] = [...BASELINE_SCENARIOS, 'mixed-load']

export type CapacityResult = {
  readonly format: typeof CAPACITY_FORMAT
  readonly startedAt: Time
  readonly profile: ProfileName
  /** Of the machine; how many instances ran is said by each point. */
  readonly environment: Environment
  /** The CPU that each API instance may use, in cores. */
  readonly coresEach: AboveZero
  readonly points: readonly Point[]
}

/** The search for the highest rate of one workload that so many instances carry. */
export type Point = PointId & { readonly steps: readonly CapacityStep[] }

export type PointId = {
  readonly scenario: ScenarioName
  /**
   * @asType integer
   * @minimum 1
   */
  readonly instances: number
  /** Where they are not those of the workload's target. */
  readonly subscribers?: AboveZero
  /** `fit`: the model is made from it. `check`: it is predicted by the model, which does not know it. */
  readonly role: 'fit' | 'check'
}

export type CapacityStep = {
  /** As it was set: of the workload's first kind of traffic. */
  readonly ratePerSecond: AboveZero
  readonly outcome: Outcome
  /** Why it did not hold. */
  readonly why?: string
  /** Absent when k6 left no result. */
  readonly use?: Use
}

/** What was done a second during the peak, and what it took. */
export type Use = {
  readonly events: Count
  readonly reports: Count
  readonly subscribers: Count
  /** In cores: `api` is the sum of all instances. */
  readonly cpu: {
    readonly api: Count
    readonly primary: Count
    readonly replica: Count
    readonly redis: Count
    readonly k6: Count
    readonly machine: Count
  }
  /** Of all instances' pools, in use on average. */
  readonly connections: Count
  /** What ran out first, if anything did. */
  readonly limitedBy?: string
  /** Set where the machine itself had no CPU left: then the step says nothing about the instances. */
  readonly machineIsFull?: true
}

export type PartName = 'api' | 'primary' | 'replica' | 'redis'
