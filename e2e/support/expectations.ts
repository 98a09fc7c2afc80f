import { expect } from 'vitest'
import type { TrafficReport } from '../traffic/report.ts'

/** Every subscriber got every acknowledged event once, and offsets without a gap. */
export function expectAllDelivered({ subscribers, acknowledged }: TrafficReport): void {
  for (const { url, received, missing, repeated, notRecovered, broken } of subscribers) {
    expect({ url, received, missing, repeated, notRecovered, broken }).toEqual({
      url,
      received: acknowledged.length,
      missing: [],
      repeated: 0,
      notRecovered: 0,
      broken: [],
    })
  }
}

/** The database has exactly the acknowledged events, each once. */
export function expectAllStored(
  prefix: string,
  { acknowledged, sent }: TrafficReport,
  stored: readonly string[],
): void {
  expect(acknowledged).toHaveLength(sent)
  expect([...stored].sort()).toEqual(acknowledged.map((event) => `${prefix}-${event}`).sort())
}
