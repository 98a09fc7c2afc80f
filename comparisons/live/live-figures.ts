import { list, number } from '@hopwhistle/platform/document/figures.ts'
import { MIB } from '@hopwhistle/platform/settings/arithmetic.ts'
import { TICK_BESIDE_K6_MS } from '@hopwhistle/platform/stack/api-instances.ts'
import { type Figure, ratioOf } from '../measure/figure.ts'
import type { PartResult } from '../parts.ts'
import { peerVersions } from '../peer-versions.ts'
import type { LiveSystem } from '../reader/protocol.ts'
import type { Delivery } from './deliver.ts'
import { LIVE, type LiveMeasured } from './live-measured.ts'

const NAMES: Readonly<Record<LiveSystem, string>> = {
  ours: 'Hopwhistle',
  oursLongTick: `Hopwhistle with a tick of ${TICK_BESIDE_K6_MS} ms`,
  plainWs: 'plain `ws`, a frame a message',
  socketIo: 'Socket.IO with its Redis adapter',
  centrifugo: 'Centrifugo with its Redis engine',
}

export function liveFigures(measured: LiveMeasured): Omit<PartResult, 'raw'> {
  const systems = (Object.keys(measured.deliveries) as LiveSystem[]).map(
    (system) => [system, measured.deliveries[system]!] as const,
  )
  return {
    figures: [
      ...systems.map(([system, turns]) => cpuFigure(system, turns)),
      ...ratioFigures(measured),
      withStorage(measured.deliveries.ours!),
      ...systems.flatMap(([system, turns]) => ageFigures(system, turns)),
      ...systems.map(([system, turns]) => rateFigure(system, turns)),
      ...memoryFigures(measured),
      ...slowFigures(measured),
    ],
    notes: notesOf(measured),
  }
}

/** CPU seconds of these groups for a million deliveries. */
const cpuPerMillion = (turns: readonly Delivery[], groups: readonly string[]): readonly number[] =>
  turns.map(({ cpu, delivered }) => (1e6 * groups.reduce((sum, group) => sum + cpu.cpuSeconds[group]!, 0)) / delivered)

const DELIVERING = ['servers', 'redis'] as const
const STORING = ['postgres primary', 'postgres replica'] as const

function cpuFigure(system: LiveSystem, turns: readonly Delivery[]): Figure {
  const { subscribers, messagesPerSecond } = LIVE.load
  return {
    id: `live.cpu.${system}`,
    label: `CPU for a million deliveries, ${NAMES[system]}`,
    unit: 's',
    rounds: cpuPerMillion(turns, DELIVERING),
    meaning:
      `CPU seconds of ${LIVE.instances} instances and of Redis: ${subscribers} subscribers to everything, ` +
      `${messagesPerSecond} messages a second, each published by an HTTP request of its own, which is counted as well.`,
  }
}

/** The most CPU of the platform, as a share of the other's. The goals apply to the default settings. */
const CPU_GOALS = { plainWs: 0.333, socketIo: 0.333, centrifugo: 1 } as const

const OURS = ['ours', 'oursLongTick'] as const

function ratioFigures({ deliveries }: LiveMeasured): readonly Figure[] {
  return OURS.flatMap((our) =>
    (Object.keys(CPU_GOALS) as (keyof typeof CPU_GOALS)[]).flatMap((peer) => {
      const [ours, theirs] = [deliveries[our], deliveries[peer]]
      if (ours === undefined || theirs === undefined) return []
      return [
        {
          id: `live.cpu.${our}.of.${peer}`,
          label: `CPU of ${NAMES[our]} ÷ ${NAMES[peer]}`,
          unit: '×',
          rounds: ratioOf(cpuPerMillion(ours, DELIVERING), cpuPerMillion(theirs, DELIVERING)),
          meaning: 'CPU for a delivery, divided by that of the alternative.',
          ...(our === 'ours' ? { goal: { comparison: '≤', value: CPU_GOALS[peer] } as const } : {}),
        },
      ]
    }),
  )
}

const withStorage = (turns: readonly Delivery[]): Figure => ({
  id: 'live.cpu.withStorage',
  label: 'CPU for a million deliveries, Hopwhistle with Postgres',
  unit: 's',
  rounds: cpuPerMillion(turns, [...DELIVERING, ...STORING]),
  meaning:
    'The same with Postgres and its replica, where every message is an event that is committed before it is delivered. The others store nothing.',
})

function ageFigures(system: LiveSystem, turns: readonly Delivery[]): readonly Figure[] {
  const at = (q: 'p50Ms' | 'p99Ms') => turns.map(({ report }) => report.age![q])
  return [
    {
      id: `live.p50.${system}`,
      label: `Delivery latency, p50, ${NAMES[system]}`,
      unit: 'ms',
      rounds: at('p50Ms'),
      meaning:
        'Time from the send by the publisher until the receipt by a subscriber; for Hopwhistle the commit is included.',
    },
    {
      id: `live.p99.${system}`,
      label: `Delivery latency, p99, ${NAMES[system]}`,
      unit: 'ms',
      rounds: at('p99Ms'),
      meaning: 'The same for 99 of 100 messages.',
      ...(system === 'ours' ? { goal: { comparison: '<', value: 30 } as const } : {}),
    },
  ]
}

const rateFigure = (system: LiveSystem, turns: readonly Delivery[]): Figure => ({
  id: `live.rate.${system}`,
  label: `Deliveries, ${NAMES[system]}`,
  unit: '/s',
  rounds: turns.map(({ perSecond }) => perSecond),
  meaning: `Messages that subscribers received while messages were published; ${number(LIVE.load.subscribers * LIVE.load.messagesPerSecond)} a second were due.`,
})

function memoryFigures({ memory }: LiveMeasured): readonly Figure[] {
  return (Object.keys(memory) as LiveSystem[]).map((system) => ({
    id: `live.memory.${system}`,
    label: `Memory of a thousand idle subscribers, ${NAMES[system]}`,
    unit: 'MB',
    rounds: memory[system]!.map(({ bytesPerThousand }) => bytesPerThousand / MIB),
    meaning: `Memory that ${number(LIVE.idleSockets)} subscribers without deliveries add to a fresh instance.`,
  }))
}

function slowFigures({ beside }: LiveMeasured): readonly Figure[] {
  const p99 = (turns: readonly Delivery[]) => turns.map(({ report }) => report.age!.p99Ms)
  const cpu = (turns: readonly Delivery[]) => cpuPerMillion(turns, DELIVERING)
  const who = `${LIVE.slow} subscribers that never read, beside ${LIVE.load.subscribers} that do`
  return [
    {
      id: 'live.slow.p99',
      label: 'p99 of the others, with slow readers ÷ without',
      unit: '×',
      rounds: ratioOf(p99(beside.someSlow), p99(beside.nobodySlow)),
      meaning: `What ${who}, cost those: 1 is nothing.`,
      goal: { comparison: '≤', value: 1.2 },
    },
    {
      id: 'live.slow.cpu',
      label: 'CPU for a million deliveries, with slow readers ÷ without',
      unit: '×',
      rounds: ratioOf(cpu(beside.someSlow), cpu(beside.nobodySlow)),
      meaning: 'The same of the CPU; what is sent to the slow ones is not counted as delivered.',
    },
  ]
}

function notesOf({ deliveries, beside, centrifugo }: LiveMeasured): readonly string[] {
  const systems = Object.keys(deliveries) as LiveSystem[]
  const losses = systems.map((system) => {
    const turns = deliveries[system]!
    const sum = (of: (turn: Delivery) => number) => turns.reduce((total, turn) => total + of(turn), 0)
    const missing = sum(({ due }) => due) - sum(({ delivered }) => delivered)
    return `${NAMES[system]} ${missing === 0 ? 'none' : number(missing)} of ${number(sum(({ due }) => due))}`
  })
  const cores = systems.map((system) => {
    const busiest = Math.max(...deliveries[system]!.map(({ readerCpuSeconds, cpu }) => readerCpuSeconds / cpu.seconds))
    return `${NAMES[system]} ${number(busiest, 2)}`
  })
  const closed = beside.someSlow.map(({ report }) => report.slowClosed)
  return [
    `Compared with ${peerVersions('socket.io', '@socket.io/redis-adapter', 'ws')}${centrifugo === undefined ? '' : `, and ${centrifugo}`}.`,
    `Subscribers are raw sockets in one Node process. Most read what has come 50 times a second and count it; 20 of ${LIVE.load.subscribers} read at once and tell how old each message is. They used at most, in cores: ${cores.join(', ')}.`,
    `Deliveries that had not come five seconds after the last message: ${losses.join(', ')}.`,
    `Of the ${LIVE.slow} subscribers that never read, ${list(closed.map((count) => number(count)))} were closed as slow in the rounds of ${number(beside.someSlow[0]!.published.seconds)} s.`,
    ...(systems.includes('centrifugo') ? [] : ['Centrifugo was not there: give its program in CENTRIFUGO.']),
  ]
}
