import { number } from '@hopwhistle/platform/document/figures.ts'
import type { CpuUse } from '../measure/cpu-meter.ts'
import { type Figure, ratioOf } from '../measure/figure.ts'
import type { PartResult } from '../parts.ts'

export type IdleMeasured = Readonly<Record<'ours' | 'base', readonly CpuUse[]>>

const PLATFORM = ['api', 'postgres primary', 'postgres replica', 'redis'] as const

export function idleFigures({ ours, base }: IdleMeasured): Omit<PartResult, 'raw'> {
  const percent = (uses: readonly CpuUse[], groups: readonly string[]) =>
    uses.map(({ cpuSeconds, seconds }) => (100 * groups.reduce((sum, name) => sum + cpuSeconds[name]!, 0)) / seconds)
  const api = { ours: percent(ours, ['api']), base: percent(base, ['api']) }
  const platform = { ours: percent(ours, PLATFORM), base: percent(base, PLATFORM) }
  const figures: readonly Figure[] = [
    {
      id: 'idle.api.ours',
      label: 'CPU of an idle API instance, Hopwhistle',
      unit: '%',
      rounds: api.ours,
      meaning: 'Share of a core that an instance uses while it is ready and gets no requests.',
      goal: { comparison: '≤', value: 1 },
    },
    {
      id: 'idle.api.base',
      label: 'CPU of an idle API instance, Hopwhistle at the base',
      unit: '%',
      rounds: api.base,
      meaning: 'The same for the platform as it was at the base commit.',
    },
    {
      id: 'idle.api.ofBase',
      label: 'CPU of an idle API instance, Hopwhistle ÷ the base',
      unit: '×',
      rounds: ratioOf(api.ours, api.base),
      meaning: 'The change since the base commit.',
    },
    {
      id: 'idle.platform.ours',
      label: 'CPU of an idle platform, Hopwhistle',
      unit: '%',
      rounds: platform.ours,
      meaning: 'Share of a core that one idle instance, its Postgres primary, its replica and its Redis use together.',
    },
    {
      id: 'idle.platform.base',
      label: 'CPU of an idle platform, Hopwhistle at the base',
      unit: '%',
      rounds: platform.base,
      meaning: 'The same for the platform as it was at the base commit.',
    },
  ]
  return {
    figures,
    notes: [
      `An instance is started for each turn, and measured for ${number(ours[0]!.seconds)} s once it has settled. Each of the two platforms has servers of its own.`,
    ],
  }
}
