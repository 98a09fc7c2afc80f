import { expect, test } from 'vitest'
import { eventCostFigures } from '../event-cost/event-cost-figures.ts'
import type { EventCostTurn } from '../event-cost/event-cost-measured.ts'
import { startCpuMeter } from '../measure/cpu-meter.ts'

/** A thousand events: CPU seconds are then milliseconds for an event. */
function turn(servers: number, primary: number, replica: number, redis?: number): EventCostTurn {
  const latency = { p50Ms: 2, p95Ms: 3, p99Ms: 19, maxMs: 30 }
  return {
    load: {
      first: 0,
      next: 1000,
      answered: 1000,
      failed: [],
      failures: {},
      failureLatency: {},
      seconds: 2,
      perSecond: 500,
      latency,
      generatorCpuSeconds: 0.1,
    },
    cpu: {
      seconds: 2,
      idleShare: 0.5,
      cpuSeconds: {
        servers,
        'postgres primary': primary,
        'postgres replica': replica,
        ...(redis !== undefined && { redis }),
        generator: 0.1,
      },
    },
    checked: { events: 1000, calls: 250 },
    work: { statements: 4000, walBytes: 2_000_000, vacuums: 1 },
  }
}

const { figures, tables, notes } = eventCostFigures({
  ours: [turn(0.3, 0.2, 0.1, 0.1), turn(0.3, 0.3, 0.1, 0.1)],
  base: [turn(1, 0.4, 0.1, 0.1), turn(1, 0.5, 0.1, 0.1)],
  rowAtATime: [turn(0.5, 0.4, 0.1), turn(0.5, 0.5, 0)],
})
const rounds = (id: string) => figures.find((figure) => figure.id === `event-cost.${id}`)!.rounds

test("the primary's CPU is compared with the base, and the whole platform's with a transaction for each request", () => {
  expect(rounds('primary.ofBase')).toEqual([expect.closeTo(0.5), expect.closeTo(0.6)])
  expect(rounds('platform.ofRowAtATime')).toEqual([expect.closeTo(0.7), expect.closeTo(0.8)])
  expect(rounds('platform.baseOfRowAtATime')).toEqual([expect.closeTo(1.6), expect.closeTo(1.7)])
  expect(rounds('platform.ours')).toEqual([expect.closeTo(700), expect.closeTo(800)])
  expect(figures.filter(({ goal }) => goal).map(({ id, goal }) => [id, goal!.comparison, goal!.value])).toEqual([
    ['event-cost.primary.ofBase', '≤', 0.5],
    ['event-cost.platform.ofRowAtATime', '≤', 0.8],
    ['event-cost.p99.ours', '<', 20],
  ])
})

test('the table shows each component, statements and WAL for an event', () => {
  expect(tables![0]!.rows[2]).toEqual([
    'a transaction for each request',
    '500',
    '450',
    '50.0',
    '0',
    '1,000',
    '4.00',
    '2,000',
  ])
  expect(notes.join('\n')).toContain('autovacuum, which vacuumed 2 tables')
})

test("a meter counts a process's CPU to less than a hundredth of a second, the unit of most of /proc", () => {
  const total = () => (({ user, system }) => (user + system) / 1e6)(process.cpuUsage())
  for (let window = 0; window < 5; window++) {
    const atMostFrom = total()
    const stop = startCpuMeter({ here: [process.pid] })
    const atLeastFrom = total()
    while (total() < atLeastFrom + 0.007);
    const atLeast = total() - atLeastFrom
    const measured = stop().cpuSeconds.here!
    expect(measured).toBeGreaterThan(atLeast - 0.001)
    expect(measured).toBeLessThan(total() - atMostFrom + 0.001)
  }
})
