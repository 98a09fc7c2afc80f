import { expect, test } from 'vitest'
import { endedEarly, shares, waitingLine } from '../../bench/cluster/runners-line.ts'
import type { RunnerPod } from '../../results-format.ts'

const did = (...updates: readonly number[]) =>
  updates.map((count) => ({ counters: { updates_ok_peak: count, updates_sent_peak: count }, histograms: {} }))
const pod = (instance: string, state: RunnerPod['state'], more: Partial<RunnerPod> = {}): RunnerPod => ({
  ...{ instance, state },
  ...more,
})

test('of a few runners each one’s part is shown, of many the least and the most, of one none', () => {
  expect(shares('call-state-updates', did(252, 251, 254, 253), 2)).toBe(' (126 + 126 + 127 + 127)')
  expect(shares('call-state-updates', did(...new Array(99).fill(10), 14), 2)).toBe(' (100 × 5 to 7)')
  expect(shares('call-state-updates', did(505), 1)).toBe('')
})

test('before the load begins the line says what is waited for', () => {
  const pods = [pod('1', 'running'), pod('2', 'waiting')]
  expect(waitingLine('redis-pubsub', { stage: 'created', pods, sinceSeconds: 7.2 })).toBe(
    '  … redis-pubsub         runners come up  1 of 2 runners up  7 s',
  )
  const problems = [{ kind: 'runners unscheduled', text: 'runner 2 was not scheduled: 0/3 nodes are available' }]
  const none = [pod('1', 'running'), pod('2', 'unscheduled', { reason: '0/3 nodes are available' })]
  expect(waitingLine('redis-pubsub', { stage: 'created', pods: none, problems, sinceSeconds: 7.2 })).toContain(
    'runner 2 was not scheduled: 0/3 nodes are available',
  )
})

test('runners that are over before the others are named, with how they ended', () => {
  expect(endedEarly([pod('1', 'running'), pod('2', 'ended', { exitCode: 137 })])).toBe('ended: 2 (137)')
  expect(endedEarly([pod('1', 'ended', { exitCode: 0 }), pod('2', 'ended', { exitCode: 0 })])).toBe('')
})
