import { number } from '@hopwhistle/platform/document/figures.ts'
import { MIB } from '@hopwhistle/platform/settings/arithmetic.ts'
import { median } from '../arithmetic.ts'
import { type Figure, ratioOf } from '../measure/figure.ts'
import type { PartResult, Table } from '../parts.ts'
import { valueText } from '../render-figures.ts'
import { MEMORY, type MemoryMeasured } from './memory.ts'
import { INSTANCES, SCALE, SCALED, type Scaled, type Step, type StepsMeasured } from './steps.ts'

export type ScaleMeasured = { readonly steps: StepsMeasured; readonly memory: MemoryMeasured | undefined }

const WHAT: Readonly<Record<Scaled, { readonly name: string; readonly unit: string; readonly load: string }>> = {
  ingest: {
    name: 'Ingest',
    unit: 'events/s',
    load: `${SCALE.ingest.connections} connections, each with one event in flight`,
  },
  reports: {
    name: 'Reports',
    unit: 'requests/s',
    load: `${SCALE.reports.connections} connections, each with one report in flight: by the hour, lists of calls, and by the day, most of which are cached, as there are few days`,
  },
  live: {
    name: 'Live delivery',
    unit: 'deliveries/s',
    load: `${SCALE.live.subscribers} subscribers to ${SCALE.live.messagesPerSecond} messages a second`,
  },
}

export function scaleFigures({ steps, memory }: ScaleMeasured): Omit<PartResult, 'raw'> {
  return {
    figures: [...SCALED.flatMap((scaled) => stepFigures(scaled, steps[scaled])), ...memoryFigures(memory)],
    tables: [stepsTable(steps)],
    notes: [
      'The limit of a step comes from the CPU time of every process, and from the wait events of the connections to the primary, sampled 20 times a second.',
    ],
  }
}

function stepFigures(scaled: Scaled, steps: readonly (readonly Step[])[]): readonly Figure[] {
  const { name, unit, load } = WHAT[scaled]
  const perSecond = (i: number) => steps[i]!.map((step) => step.perSecond)
  return [
    ...INSTANCES.map((instances, i) => ({
      id: `scale.${scaled}.${instances}`,
      label: `${name}, ${instances} ${instances === 1 ? 'instance' : 'instances'}`,
      unit,
      rounds: perSecond(i),
      meaning: `With ${load}.`,
    })),
    {
      id: `scale.${scaled}.ratio`,
      label: `${name}, 3 instances ÷ 1`,
      unit: '×',
      rounds: ratioOf(perSecond(2), perSecond(0)),
      meaning: 'Three instances on this machine, together with the generator, Postgres and Redis.',
    },
  ]
}

function memoryFigures(memory: MemoryMeasured | undefined): readonly Figure[] {
  if (memory === undefined) return []
  const { samples, everySeconds } = memory
  const minutes = number((samples[0]!.length * everySeconds) / 60, 1)
  const of = (from: number, to: number) =>
    samples.map((all) => median(all.slice(Math.floor(from * all.length), Math.max(1, Math.ceil(to * all.length)))))
  const load = `${MEMORY.eventsPerSecond} events and ${MEMORY.reportsPerSecond} reports a second and ${MEMORY.subscribers} subscribers over ${MEMORY.instances} instances`
  const [early, late] = [of(0.2, 0.4), of(0.8, 1)]
  return [
    {
      id: 'scale.memory',
      label: 'Memory of an instance at the target load',
      unit: 'MB',
      rounds: late.map((bytes) => bytes / MIB),
      meaning: `Resident memory, one value an instance, in the last fifth of ${minutes} minutes at ${load}.`,
    },
    {
      id: 'scale.memory.growth',
      label: 'Memory in the last fifth ÷ in the second',
      unit: '×',
      rounds: ratioOf(late, early),
      meaning: `One value an instance; 1 is flat over ${minutes} minutes. The first fifth fills caches and compiles.`,
      goal: { comparison: '≤', value: 1.1 },
    },
  ]
}

function stepsTable(steps: StepsMeasured): Table {
  const rows = SCALED.flatMap((scaled) =>
    INSTANCES.map((instances, i) => {
      const rounds = steps[scaled][i]!
      // The round with the median throughput represents all.
      const typical = rounds.toSorted((a, b) => a.perSecond - b.perSecond)[rounds.length >> 1]!
      return [
        `${WHAT[scaled].name}, ${instances}`,
        `${valueText(median(rounds.map((step) => step.perSecond)))} ${WHAT[scaled].unit}`,
        `${valueText(median(rounds.map((step) => step.p99Ms)))} ms`,
        typical.limitedBy,
      ]
    }),
  )
  return {
    title: 'What limits each step',
    header: ['Instances', 'Throughput', 'p99', 'Limited by'],
    right: [1, 2],
    rows,
  }
}
