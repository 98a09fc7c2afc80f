import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createPrimaryNotes } from '../../src/postgres/primary-notes.ts'
import { formatWalPosition, parseWalPosition } from '../../src/postgres/wal-position.ts'

test('as of is the newest note that a replica has reached, never one that it has not', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ onPrimary: fc.boolean(), step: fc.bigInt({ min: 0n, max: 5n }) }), { maxLength: 60 }),
      (steps) => {
        const notes = createPrimaryNotes()
        const all: { atMs: number; position: bigint }[] = []
        let [primary, replayed, atMs] = [10n, 0n, 0]
        for (const { onPrimary, step } of steps) {
          atMs += 1
          if (onPrimary) {
            primary += step
            all.push({ atMs, position: primary })
            notes.note(atMs, primary)
          } else {
            replayed = replayed + step > primary ? primary : replayed + step
          }
          expect(notes.asOfMs(replayed)).toBe(all.findLast((note) => note.position <= replayed)?.atMs)
        }
      },
    ),
  )
})

test('lag counts from the last time that a replica had everything; an idle primary adds nothing', () => {
  const notes = createPrimaryNotes()
  expect(notes.lagMs(100n)).toBe(Number.POSITIVE_INFINITY)
  const of = (replayed: bigint) => [notes.lagMs(replayed), notes.lagBytes(replayed), notes.asOfMs(replayed)]
  notes.note(1_000, 100n)
  notes.note(60_000, 100n)
  expect(of(100n)).toEqual([0, 0, 60_000])
  expect(of(99n)).toEqual([Number.POSITIVE_INFINITY, 1, undefined])
  notes.note(61_000, 150n)
  notes.note(65_000, 160n)
  expect(of(100n)).toEqual([5_000, 60, 60_000])
  expect(of(155n)).toEqual([4_000, 5, 61_000])
})

test('a primary that was restored from a backup begins again', () => {
  const notes = createPrimaryNotes()
  notes.note(1_000, 100n)
  notes.note(2_000, 50n)
  expect([notes.asOfMs(49n), notes.asOfMs(100n)]).toEqual([undefined, 2_000])
})

test('days are remembered in little space, to a hundredth of their age, and nothing is promised that is not so', () => {
  const notes = createPrimaryNotes()
  const now = 100_000
  for (let i = 0; i <= now; i++) notes.note(i, BigInt(i))
  for (const age of [1, 50, 1_000, 50_000, 99_000]) {
    const asOfMs = notes.asOfMs(BigInt(now - age))
    expect(asOfMs).toBeLessThanOrEqual(now - age)
    expect(asOfMs).toBeGreaterThanOrEqual(now - age - age * 0.011 - 1)
  }
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
