import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createReplicaProgress } from '../../src/postgres/replica-progress.ts'
import { formatWalPosition, parseWalPosition } from '../../src/postgres/wal-position.ts'

test('as of is the newest note that the replica has reached, never one that it has not', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ onPrimary: fc.boolean(), step: fc.bigInt({ min: 0n, max: 5n }) }), { maxLength: 60 }),
      (steps) => {
        const progress = createReplicaProgress()
        const notes: { atMs: number; position: bigint }[] = []
        let [primary, replayed, atMs] = [10n, 0n, 0]
        for (const { onPrimary, step } of steps) {
          atMs += 1
          if (onPrimary) {
            primary += step
            notes.push({ atMs, position: primary })
            progress.notePrimary(atMs, primary)
          } else {
            replayed = replayed + step > primary ? primary : replayed + step
            progress.noteReplayed(replayed)
          }
          expect(progress.asOfMs()).toBe(notes.findLast((note) => note.position <= replayed)?.atMs)
        }
      },
    ),
  )
})

test('lag counts from the last time that the replica had everything; an idle primary adds nothing', () => {
  const progress = createReplicaProgress()
  expect(progress.lagMs()).toBe(Number.POSITIVE_INFINITY)
  progress.notePrimary(1_000, 100n)
  progress.noteReplayed(100n)
  progress.notePrimary(60_000, 100n)
  expect([progress.lagMs(), progress.lagBytes(), progress.asOfMs()]).toEqual([0, 0, 60_000])
  progress.notePrimary(61_000, 150n)
  progress.notePrimary(65_000, 160n)
  expect([progress.lagMs(), progress.lagBytes(), progress.asOfMs()]).toEqual([5_000, 60, 60_000])
  progress.noteReplayed(155n)
  expect([progress.lagMs(), progress.lagBytes(), progress.asOfMs()]).toEqual([4_000, 5, 61_000])
})

test('what was known of a replica is forgotten with its connection', () => {
  const progress = createReplicaProgress()
  progress.notePrimary(1_000, 100n)
  progress.noteReplayed(100n)
  progress.forgetReplica()
  expect([progress.replayed(), progress.asOfMs()]).toEqual([0n, undefined])
  progress.noteReplayed(50n)
  expect(progress.asOfMs()).toBeUndefined()
})

test('a day without the replica is remembered in little space, and nothing is promised that is not so', () => {
  const progress = createReplicaProgress()
  for (let i = 0; i < 100_000; i++) progress.notePrimary(i, BigInt(i))
  progress.noteReplayed(50_000n)
  expect(progress.asOfMs()).toBeLessThanOrEqual(50_000)
  expect(progress.asOfMs()).toBeGreaterThan(49_000)
})

test('a position is read back as it was written; anything else is none', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (position) => {
      expect(parseWalPosition(formatWalPosition(position))).toBe(position)
    }),
  )
  for (const text of ['', '0', '0/', '/0', '0/0/0', 'g/0', '123456789/0', '0/0 ', '0x1/0', '-1/0']) {
    expect(parseWalPosition(text), text).toBeUndefined()
  }
})
