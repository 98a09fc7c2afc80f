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
    readonly memoryBytes: number
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
}

/** Declares every other program on the machine a neighbour. */
export const ANY_NEIGHBOUR = 'any'
