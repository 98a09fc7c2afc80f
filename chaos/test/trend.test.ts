import { expect, test } from 'vitest'
import { renderSoak } from '../soak/render-soak.ts'
import { trendOf } from '../soak/trend.ts'

/** A saw, as garbage collection makes one. */
const saw = (i: number) => (i % 7) * 4

test('what stays as it is does not grow, however uneven; a leak does', () => {
  const flat = Array.from({ length: 300 }, (_, i) => 200 + saw(i))
  expect(trendOf(flat).grows).toBe(false)
  const leak = flat.map((value, i) => value + i * 0.3)
  expect(trendOf(leak)).toMatchObject({ grows: true, rise: expect.closeTo(90, 0) })
  expect(trendOf([5, 5, 5]).grows).toBe(false)
  expect(trendOf(flat.map((value, i) => value - i * 0.3)).grows).toBe(false)
})

test('the chart has a row for each resource', () => {
  const sample = { memory: 300, handles: 90, connections: 40, wal: 12, redisKeys: 9 }
  const svg = renderSoak('Soak', '500/s', [
    { seconds: 0, ...sample },
    { seconds: 1200, ...sample },
  ])
  for (const title of ['API memory, MiB', 'Postgres connections', 'WAL kept for the replica, MiB', 'Redis keys']) {
    expect(svg).toContain(title)
  }
  expect(svg.match(/class="p50"/g)).toHaveLength(5)
})
