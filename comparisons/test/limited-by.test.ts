import { expect, test } from 'vitest'
import { limitedBy } from '../scale/limited-by.ts'

const cpu = (servers: number, idleShare: number) => ({
  seconds: 10,
  idleShare,
  cpuSeconds: { servers: servers * 10, 'postgres primary': 6, generator: 2 },
})
const waits = {
  seen: 200,
  shares: [
    ['IO WALSync', 0.71],
    ['CPU', 0.29],
  ] as const,
}

test.each([
  ['all due messages arrived', cpu(0.5, 0.4), 1, 'all', 'nothing: all due messages arrived (40 % idle)'],
  ['its processes are full', cpu(1.86, 0.2), 2, 'as much as it can', "the API's own CPU: 1.86 of 2 cores (20 % idle)"],
  [
    'no CPU is left',
    cpu(0.9, 0.04),
    2,
    'as much as it can',
    'CPU of the machine, 4 % idle: cores of servers 0.90, postgres primary 0.60, generator 0.20',
  ],
  [
    'everybody waits',
    cpu(0.5, 0.4),
    1,
    'as much as it can',
    'waiting, with 40 % idle: IO WALSync in 71 % of 200 samples; cores of postgres primary 0.60, servers 0.50, generator 0.20',
  ],
] as const)('where %s, that is named with its figures', (_, use, instances, due, told) => {
  expect(limitedBy(use, instances, waits, due)).toBe(told)
})
