/** A comparison as it is kept, made of planted numbers. */
import { seededRandom } from '@hopwhistle/contract/traffic/report-queries.ts'
import { loadShape } from '../../versions/load-shape.ts'
import {
  COMPARISON_FORMAT,
  type ComparisonRecord,
  KINDS,
  type Round,
  type Side,
  type WindowPair,
  type WindowSide,
} from '../../versions/measured.ts'

/** What is so many times larger in `head`; `noise` is the range of the logarithm of everything that is noisy. */
export type Factors = {
  readonly latency?: number
  readonly cpu?: number
  readonly rate?: number
  readonly noise?: number
}

export function windowSide(factor: (name: 'latency' | 'cpu' | 'rate') => number): WindowSide {
  const ms = 10 * factor('latency')
  const cpu = 0.1 * factor('cpu')
  return {
    done: 1000,
    perSecond: 300 * factor('rate'),
    latency: { p50Ms: ms, p95Ms: 2 * ms, p99Ms: 3 * ms, maxMs: 4 * ms },
    cpuSeconds: { api: cpu, primary: cpu, replica: cpu, redis: cpu },
    walBytes: 1e6,
    statements: 500,
  }
}

export function comparison(rounds: number, factors: Factors = {}, seed = 1): ComparisonRecord {
  const random = seededRandom(seed)
  const noise = () => Math.exp((factors.noise ?? 0.01) * (2 * random() - 1))
  const side = (name: Side) =>
    windowSide((what) => (name === 'head' ? (factors[what] ?? 1) : 1) * (what === 'rate' ? 1 : noise()))
  const windows = (): readonly WindowPair[] =>
    KINDS.flatMap((kind) => {
      const pair = () => ({ kind, seconds: 3, idleShare: 0.5, sides: { base: side('base'), head: side('head') } })
      return [pair(), pair()]
    })
  return {
    format: COMPARISON_FORMAT,
    measuredAt: '2026-01-02T03:04:05.000Z',
    name: 'somewhere',
    machine: { os: 'Linux', kernel: '6', architecture: 'x64', cpuModel: 'A CPU', cores: 2, memoryBytes: 1 },
    versions: { base: { ref: 'main', commit: 'a'.repeat(40) }, head: { commit: 'b'.repeat(40), dirty: true } },
    seed: 1,
    load: loadShape(1, false),
    minutes: 15,
    secondsTaken: 30 * rounds,
    rounds: Array.from(
      { length: rounds },
      (_, i): Round => ({
        servers: Math.floor(i / 4),
        swapped: false,
        startedAt: '2026-01-02T03:04:05.000Z',
        seconds: 30,
        windows: windows(),
        memoryBytes: { base: 1e8, head: 1e8 },
        stored: { base: 100, head: 100 },
      }),
    ),
  }
}
