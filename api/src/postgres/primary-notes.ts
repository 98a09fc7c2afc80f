import type { WalPosition } from './wal-position.ts'

/**
 * Where the primary was, and when. By these notes the position of any standby tells how old it is.
 *
 * The primary's position is noted every now and then with the time just before it was asked. A standby that has replayed up
 * to such a note shows everything that was committed by the note's time. So an idle primary does not make a standby look
 * late, as the age of the last replayed transaction would.
 */
export type PrimaryNotes = {
  /** @param askedAtMs when the primary was asked: whatever it had answered to anyone by then is in `position` */
  note(askedAtMs: number, position: WalPosition): void
  /** Unix milliseconds: everything committed by then lies before `replayed`; undefined while nothing is known. */
  asOfMs(replayed: WalPosition): number | undefined
  /** WAL that the primary had at its last note, after `replayed`. */
  lagBytes(replayed: WalPosition): number
  /** Time between the last note and the newest one before `replayed`; Infinity while there is none. */
  lagMs(replayed: WalPosition): number
}

type Note = { readonly atMs: number; readonly position: WalPosition }

/** Notes are merged when the time between them is less than this share of their age. */
const PRECISION = 0.01
const THIN_EVERY = 128

export function createPrimaryNotes(): PrimaryNotes {
  /** Ascending in both. */
  let notes: Note[] = []
  let thinAt = THIN_EVERY

  function thin(nowMs: number): void {
    const kept: Note[] = []
    for (const [i, note] of notes.entries()) {
      const [before, after] = [kept.at(-1), notes[i + 1]]
      const isBetween = before !== undefined && after !== undefined
      if (!isBetween || after.atMs - before.atMs > (nowMs - after.atMs) * PRECISION) kept.push(note)
    }
    notes = kept
    thinAt = notes.length + THIN_EVERY
  }

  const reached = (replayed: WalPosition) => notes.findLast(({ position }) => position <= replayed)

  return {
    note: (atMs, position) => {
      const newest = notes.at(-1)
      // Answers may overtake each other; and a primary restored from a backup begins again.
      if (newest !== undefined && atMs <= newest.atMs) return
      if (newest !== undefined && position < newest.position) notes = []
      if (newest?.position === position) notes.pop()
      notes.push({ atMs, position })
      if (notes.length >= thinAt) thin(atMs)
    },
    asOfMs: (replayed) => reached(replayed)?.atMs,
    lagBytes: (replayed) => Math.max(0, Number((notes.at(-1)?.position ?? 0n) - replayed)),
    lagMs: (replayed) => {
      const note = reached(replayed)
      return note === undefined ? Number.POSITIVE_INFINITY : (notes.at(-1) as Note).atMs - note.atMs
    },
  }
}
