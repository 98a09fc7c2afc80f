import { number } from '@hopwhistle/platform/document/figures.ts'
import { MIB } from '@hopwhistle/platform/settings/arithmetic.ts'
import { median } from '../arithmetic.ts'
import type { Figure } from '../measure/figure.ts'
import { cpuMsEach } from '../measure/loaded.ts'
import type { PartResult, Table } from '../parts.ts'
import { rangeText, valueText } from '../render-figures.ts'
import { ENDPOINT_CONNECTIONS, type EndpointsMeasured } from './endpoints.ts'
import type { ImageSize } from './image.ts'

export type CostMeasured = {
  readonly startMs: readonly number[]
  readonly image: ImageSize | undefined
  readonly endpoints: EndpointsMeasured
}

const BEHIND = ['postgres primary', 'postgres replica', 'redis'] as const

export function costFigures({ startMs, image, endpoints }: CostMeasured): Omit<PartResult, 'raw'> {
  const figures: readonly Figure[] = [
    {
      id: 'cost.start',
      label: 'From start to ready',
      unit: 's',
      rounds: startMs.map((ms) => ms / 1000),
      meaning: 'Time from the start of an instance until it reports ready, on a database that is already set up.',
    },
    ...(image === undefined ? [] : [imageFigure(image)]),
  ]
  return {
    figures,
    tables: [endpointsTable(endpoints)],
    notes: image === undefined ? ['The size of the image was not measured: give a builder in IMAGE_BUILDER.'] : [],
  }
}

const imageFigure = ({ addedBytes, base }: ImageSize): Figure => ({
  id: 'cost.image',
  label: `Image of the API, without \`${base}\``,
  unit: 'MiB',
  rounds: [addedBytes / MIB],
  meaning: `What the API and its packages add to \`${base}\`, on a disk: what a machine that has that image must fetch.`,
})

function endpointsTable(endpoints: EndpointsMeasured): Table {
  const rows = Object.entries(endpoints).map(([name, turns]) => {
    const each = (groups: readonly string[]) => turns.map((turn) => cpuMsEach(turn, groups))
    const api = each(['api'])
    return [
      `\`${name}\``,
      valueText(median(api)),
      rangeText(api),
      valueText(median(each(BEHIND))),
      number(median(turns.map(({ load }) => load.perSecond))),
    ]
  })
  return {
    title: `CPU for a request, in ms: one instance, ${ENDPOINT_CONNECTIONS} connections`,
    header: ['Endpoint', 'API', 'Range', 'Postgres, replica and Redis', 'Requests/s meanwhile'],
    right: [1, 2, 3, 4],
    rows,
  }
}
