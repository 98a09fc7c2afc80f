import { number } from '../../judge/format.ts'
import { median } from '../measure/arithmetic.ts'
import type { Figure } from '../measure/figure.ts'
import { cpuMsEach } from '../measure/loaded.ts'
import type { PartResult, Table } from '../parts.ts'
import { rangeText, valueText } from '../render-figures.ts'
import { ENDPOINT_CONNECTIONS, type EndpointsMeasured } from './endpoints.ts'

export type CostMeasured = {
  readonly startMs: readonly number[]
  readonly imageBytes: number | undefined
  readonly endpoints: EndpointsMeasured
}

const MIB = 1024 * 1024
const BEHIND = ['postgres primary', 'postgres replica', 'redis'] as const

export function costFigures({ startMs, imageBytes, endpoints }: CostMeasured): Omit<PartResult, 'raw'> {
  const figures: readonly Figure[] = [
    {
      id: 'cost.start',
      label: 'From start to ready',
      unit: 's',
      rounds: startMs.map((ms) => ms / 1000),
      meaning:
        'Time from when the process of an instance is started until it says that it is ready, on a database that is there.',
    },
    ...(imageBytes === undefined
      ? []
      : [
          {
            id: 'cost.image',
            label: 'Image of the API',
            unit: 'MB',
            rounds: [imageBytes / MIB],
            meaning: 'Its size as it lies on a disk, with the Node image that it is based on.',
          },
        ]),
  ]
  return {
    figures,
    tables: [endpointsTable(endpoints)],
    notes: imageBytes === undefined ? ['The size of the image was not measured: give a builder in IMAGE_BUILDER.'] : [],
  }
}

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
