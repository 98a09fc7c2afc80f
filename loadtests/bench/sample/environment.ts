import type { Place } from '@hopwhistle/platform/machine/place.ts'

/** Where a measurement was made: `environment` in a result. */
export type Environment = Place & {
  readonly versions: {
    readonly node: string
    readonly postgres?: string
    readonly redis?: string
    readonly k6: string
  }
  readonly stack: {
    readonly apiInstances: number
    /** Settings of the API that were given, by environment variable; empty or absent where they are not known. */
    readonly apiSettings?: Readonly<Record<string, string>>
    readonly replicas: number
    /** Whether k6 shared the machine with what it measured. */
    readonly generatorOnSameMachine: boolean
  }
  /** Of a generator on the same machine. Absent where it had a machine of its own, or by an older version. */
  readonly generatorPriority?: GeneratorPriority
}

/** How the generator got the CPU before the platform did: nice values as read back, a higher one waits for a lower one. */
export type GeneratorPriority =
  | {
      readonly method: 'autogroup' | 'nice'
      readonly platform: number
      readonly k6: number
      /** k6 does not interrupt what runs (SCHED_BATCH). Absent: the usual policy, or measured by an older version. */
      readonly policy?: 'batch'
    }
  | { readonly method: 'none'; readonly why: string }
