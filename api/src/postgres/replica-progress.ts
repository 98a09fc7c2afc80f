import type { WalPosition } from './wal-position.ts'

/**
 * How far the replica has come, in WAL and in time.
 *
 * The primary's position is noted every now and then with the time just before it was asked. What the replica has
 * replayed up to such a note shows everything that was committed by the note's time. So an idle primary does not make
 * its replica look late, as the age of the last replayed transaction would.
 */
export type ReplicaProgress = {
  /** @param askedAtMs when the primary was asked: whatever it had answered to anyone by then is in `position` */
  notePrimary(askedAtMs: number, position: WalPosition): void
  /** @returns true when that is further than known before */
  noteReplayed(position: WalPosition): boolean
  replayed(): WalPosition
  /** Unix milliseconds: everything committed by then is on the replica; undefined while nothing is known. */
  asOfMs(): number | undefined
  /** WAL that the primary had at its last note and the replica has not. */
  lagBytes(): number
  /** Time between the last note and the newest one that the replica has reached; Infinity while it has reached none. */
  lagMs(): number
  /** Forgets how far the replica was: another server may answer at its address. */
  forgetReplica(): void
}

type Note = { readonly atMs: number; readonly position: WalPosition }

/** An hour's outage at five notes a second must not grow without bound: then every other note goes. */
const NOTES_MAX = 512

export function createReplicaProgress(): ReplicaProgress {
  /** Ascending in both; the first is the newest that the replica has reached, when `reached`. */
  let notes: Note[] = []
  let reached = false
  let replayed: WalPosition = 0n

  function advance(): void {
    let count = 0
    while (count < notes.length && (notes[count] as Note).position <= replayed) count += 1
    if (count === 0) return
    notes = notes.slice(count - 1)
    reached = true
  }

  return {
    notePrimary: (atMs, position) => {
      const last = notes.at(-1)
      // Answers may overtake each other; and a primary restored from a backup begins anew.
      if (last !== undefined && atMs <= last.atMs) return
      if (last !== undefined && position < last.position) {
        notes = []
        reached = false
      }
      notes.push({ atMs, position })
      if (notes.length > NOTES_MAX) notes = notes.filter((_, i) => i % 2 === 0 || i === notes.length - 1)
      advance()
    },
    noteReplayed: (position) => {
      if (position <= replayed) return false
      replayed = position
      advance()
      return true
    },
    replayed: () => replayed,
    asOfMs: () => (reached ? notes[0]?.atMs : undefined),
    lagBytes: () => Math.max(0, Number((notes.at(-1)?.position ?? 0n) - replayed)),
    lagMs: () => (reached ? (notes.at(-1) as Note).atMs - (notes[0] as Note).atMs : Number.POSITIVE_INFINITY),
    forgetReplica: () => {
      replayed = 0n
      reached = false
    },
  }
}
