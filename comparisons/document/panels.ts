/** The figures of the record that are drawn, and their labels. */
import type { PartName } from '../parts.ts'
import type { PeersRecord } from '../record.ts'
import type { Panel } from './bar-chart.ts'

type Drawn = {
  readonly part: PartName
  readonly title: string
  readonly unit: string
  /** Label by the figure's id; figures that were not measured are left out. */
  readonly bars: Readonly<Record<string, string>>
}

const OURS = 'Hopwhistle'

const DRAWN: readonly Drawn[] = [
  {
    part: 'ingest',
    title: 'Call events a second through one process: more is better',
    unit: '/s',
    bars: {
      'ingest.throughput.storesNothing': 'a Fastify route that stores nothing',
      'ingest.throughput.ours': OURS,
      'ingest.throughput.base': 'Hopwhistle at the base',
      'ingest.throughput.rowAtATime': 'a transaction for each request',
    },
  },
  {
    part: 'event-cost',
    title: 'CPU of the whole platform for an event at 500 a second: less is better',
    unit: 'µs',
    bars: {
      'event-cost.platform.ours': OURS,
      'event-cost.platform.base': 'Hopwhistle at the base',
      'event-cost.platform.rowAtATime': 'a transaction for each request',
    },
  },
  {
    part: 'reports',
    title: '30 days by the hour over ten million events, uncached: less is better',
    unit: 'ms',
    bars: { 'reports.month.ours': OURS, 'reports.month.plainSql': 'plain SQL on the same replica' },
  },
  {
    part: 'reports',
    title: 'A cached report, requests a second to one process: more is better',
    unit: '/s',
    bars: {
      'reports.cached.sameBytes': 'a Fastify route with the same bytes',
      'reports.cached.ours': OURS,
    },
  },
  {
    part: 'live',
    title: 'CPU for a million live deliveries: less is better',
    unit: 's',
    bars: {
      'live.cpu.ours': OURS,
      'live.cpu.oursLongTick': 'Hopwhistle, longer tick',
      'live.cpu.centrifugo': 'Centrifugo',
      'live.cpu.plainWs': 'plain ws, a frame a message',
      'live.cpu.socketIo': 'Socket.IO with its Redis adapter',
    },
  },
]

export function panelsOf({ parts }: PeersRecord): readonly Panel[] {
  return DRAWN.flatMap(({ part, title, unit, bars }) => {
    const figures = parts[part]?.figures ?? []
    const found = Object.entries(bars).flatMap(([id, label]) => {
      const figure = figures.find((one) => one.id === id)
      return figure === undefined ? [] : [{ label, rounds: figure.rounds, isOurs: label === OURS }]
    })
    return found.length === 0 ? [] : [{ title, unit, bars: found }]
  })
}
