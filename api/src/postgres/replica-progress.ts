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

/** However long the replica is away, no more notes than this are kept: evenly spread over that time. */
const NOTES_MAX = 512

export function createReplicaProgress(): ReplicaProgress {
  /** Ascending in both; the first is the newest that the replica has reached, when `reached`. */
  let notes: Note[] = []
  let newest: Note | undefined
  let spacingMs = 0
  let reached = false
  let replayed: WalPosition = 0n

  function advance(): void {
    if (newest !== undefined && newest.position <= replayed) {
      notes = [newest]
      spacingMs = 0
      reached = true
      return
    }
    let count = 0
    while (count < notes.length && (notes[count] as Note).position <= replayed) count += 1
    if (count === 0) return
    notes = notes.slice(count - 1)
    reached = true
  }

  function keep(note: Note): void {
    const last = notes.at(-1)
    if (last !== undefined && note.atMs - last.atMs < spacingMs) return
    notes.push(note)
    if (notes.length <= NOTES_MAX) return
    notes = notes.filter((_, i) => i % 2 === 0)
    spacingMs = (note.atMs - (notes[0] as Note).atMs) / (NOTES_MAX / 2)
  }

  return {
    notePrimary: (atMs, position) => {
      // Answers may overtake each other; and a primary restored from a backup begins anew.
      if (newest !== undefined && atMs <= newest.atMs) return
      if (newest !== undefined && position < newest.position) {
        notes = []
        reached = false
      }
      newest = { atMs, position }
      keep(newest)
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
    lagBytes: () => Math.max(0, Number((newest?.position ?? 0n) - replayed)),
    lagMs: () => (reached ? (newest as Note).atMs - (notes[0] as Note).atMs : Number.POSITIVE_INFINITY),
    forgetReplica: () => {
      replayed = 0n
      reached = false
    },
  }
}
