import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { renderSvg } from '@hopwhistle/platform/document/chart/render-svg.ts'
import { COLOURS } from '@hopwhistle/platform/document/chart/theme.ts'
import { CHECKOUT } from '@hopwhistle/platform/lib/checkout.ts'
import { makeTempDir } from '@hopwhistle/platform/stack/run-as.ts'
import { expect, test } from 'vitest'
import { barChart } from '../document/bar-chart.ts'
import { panelsOf } from '../document/panels.ts'
import { renderPerformance } from '../document/render-performance.ts'
import { writeNewestPerformance } from '../document/write-performance.ts'
import { keepK6Frame, keepPart, type PartRecord, type PeersRecord, readRecord } from '../record.ts'

const part = (id: string, rounds: readonly number[], goal?: number): PartRecord => ({
  measuredAt: '2026-01-30T10:00:00.000Z',
  durationSeconds: 90,
  source: { commit: '0123456789', dirty: false },
  figures: [
    {
      id,
      label: `label of ${id}`,
      unit: '×',
      rounds,
      meaning: 'What it is.',
      ...(goal && { goal: { comparison: '≥', value: goal } }),
    },
  ],
  notes: ['What was seen.'],
})
const machine = { os: 'Linux', kernel: '6', architecture: 'x64', cpuModel: 'A & B', cores: 2, memoryBytes: 2 ** 34 }
const record = (parts: PeersRecord['parts']): PeersRecord => ({
  format: 'hopwhistle-peers/1',
  name: 'here',
  machine,
  parts,
})

test('the document has median, range, goal, time of measurement and the meaning of each figure', () => {
  const text = renderPerformance(record({ ingest: part('ingest.a', [2, 1, 4], 3) }))
  expect(text).toMatch(/\| label of ingest\.a +\| 2\.00 × \| 1\.00 to 4\.00 \| +≥ 3 \| ❌/)
  expect(text).toContain('30 January 2026, 10:00 UTC at commit `0123456`: 3 rounds in 1 min 30 s.')
  expect(text).toContain('- **label of ingest.a.** What it is.')
  expect(text).toContain('- What was seen.')
  expect(text).not.toContain('## Reports')
})

test('the document names the base, and says what has not been measured yet', () => {
  const k6Frame = { nsPerFrame: 2_100, baseNsPerFrame: 4_700, ratio: 0.45, min: 0.44, max: 0.47, rounds: 4 }
  const cost = { ...part('event-cost.a', [0.4], 0.5), base: '7bb82c8000000000' }
  const text = renderPerformance(record({ 'event-cost': cost }))
  expect(text).toContain('1 round in 1 min 30 s. The base is commit `7bb82c8`.')
  expect(text).toMatch(
    /Not measured yet: Ingest \(`npm run comparisons -- measure --only ingest`\), Idle .*, k6's CPU for a frame\./,
  )
  const withK6 = renderPerformance({ ...record({ 'event-cost': cost }), k6Frame })
  expect(withK6).toMatch(
    /\| k6's CPU for a frame, Hopwhistle ÷ the base +\| 0\.45 × \| 0\.44 to 0\.47 \| +≤ 0\.5 \| ✅/,
  )
  expect(withK6).toMatch(/\| CPU for a frame, Hopwhistle at the base +\| 4,700 ns \|/)
  expect(withK6).not.toMatch(/Not measured yet: .*k6/)
})

test('a new measurement replaces the old one, and the other parts stay', async () => {
  const folder = makeTempDir('hopwhistle-record-test-')
  await keepPart('ingest', part('ingest.a', [1]), folder)
  await keepPart('cost', part('cost.a', [2]), folder)
  const { record, path } = await keepPart('ingest', part('ingest.a', [3]), folder)
  expect(readRecord(path)).toEqual(record)
  expect(record.parts.ingest?.figures[0]?.rounds).toEqual([3])
  expect(record.parts.cost?.figures[0]?.rounds).toEqual([2])
  const k6Frame = { nsPerFrame: 1, baseNsPerFrame: 2, ratio: 0.5, min: 0.5, max: 0.5, rounds: 1 }
  await keepK6Frame(k6Frame, folder)
  expect((await keepPart('cost', part('cost.a', [4]), folder)).record).toMatchObject({
    k6Frame,
    parts: { ingest: {}, cost: {} },
  })
})

test('the chart draws ours and the others to one scale, and leaves out what was not measured', () => {
  const bar = (label: string, rounds: readonly number[]) => ({ label, rounds, isOurs: label === 'ours' })
  const panel = { title: 'speed', unit: '/s', bars: [bar('ours', [50, 40, 60]), bar('theirs', [100])] }
  const svg = renderSvg(barChart('A & B', 'here', [panel]))
  const widths = [...svg.matchAll(/l([\d.]+) 0l0 14l/g)].map(([, width]) => Number(width))
  expect(widths).toHaveLength(2)
  expect(widths[0]! / widths[1]!).toBeCloseTo(0.5, 2)
  expect(svg).toContain('A &amp; B')
  expect(svg.match(new RegExp(` stroke="${COLOURS.text}"`, 'g'))).toHaveLength(1)
  expect(panelsOf(record({ ingest: part('ingest.throughput.ours', [1]) })).map(({ bars }) => bars.length)).toEqual([1])
})

test('docs/performance.md is what the newest record says', async () => {
  const folder = makeTempDir('hopwhistle-performance-test-')
  const written = await writeNewestPerformance(folder)
  expect(written).toHaveLength(2)
  for (const path of written) {
    expect(readFileSync(join(CHECKOUT, 'docs', path.slice(folder.length + 1)), 'utf8')).toBe(readFileSync(path, 'utf8'))
  }
})
