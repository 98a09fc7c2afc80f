import type { SingleThreadScore } from '../machine/single-thread-score.ts'

/** Where a measurement was made: `environment` in a result. */
export type Environment = {
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
    /** Absent where it was not measured: elsewhere than on this machine, or by an older version. */
    readonly singleThreadScore?: SingleThreadScore
  }
  /** Programs that were declared to belong to the machine: what they use is no disturbance. `any` is every program. */
  readonly neighbours?: readonly string[]
  readonly versions: {
    readonly node: string
    readonly postgres?: string
    readonly redis?: string
    readonly k6: string
  }
  readonly source: {
    /** Absent outside a git checkout. */
    readonly commit?: string
    /** Whether files differed from that commit. */
    readonly dirty?: boolean
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
  | { readonly method: 'autogroup' | 'nice'; readonly platform: number; readonly k6: number }
  | { readonly method: 'none'; readonly why: string }
/** Declares every other program on the machine a neighbour. */
export const ANY_NEIGHBOUR = 'any'
