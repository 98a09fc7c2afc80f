/**
 * Reads `events` frames of the live protocol at the least cost to k6's JavaScript engine.
 *
 * There a call of a method takes longer than what the method does. So a frame with nothing but this run's messages is
 * split at the fields that are needed: three calls a frame, and five a message. Any other is searched field by field,
 * and JSON.parse takes three times as long as that. The cuts rely on the order of the fields as the protocol writes
 * them; where they find anything but what they expect, JSON.parse reads it instead: slower, and never wrong.
 */
import type { LiveFrameHead, LiveMessage } from '../../../contract/live.ts'

/** What is read of a head. One object is filled again and again, so that reading allocates nothing. */
export type Head = { from: number; to: number; count: number; oldestAt: number }

export const emptyHead = (): Head => ({ from: 0, to: 0, count: 0, oldestAt: 0 })

/** The length of a head up to its first number: `{"type":"events","epoch":"…","from":`. */
export const headStart = (epoch: string): number => `{"type":"events","epoch":"${epoch}","from":`.length

/**
 * @param start from `headStart` of the epoch in force; a wrong one costs time, not correctness
 * @returns false when the frame is not an `events` frame
 */
export function readHead(frame: string, start: number, head: Head): boolean {
  const to = frame.indexOf(',"to":', start)
  if (to > 0) {
    const count = frame.indexOf(',"count":', to)
    const sent = frame.indexOf(',"sentAt":', count)
    const oldest = frame.indexOf(',"oldestAt":', sent) + 12
    head.from = +frame.slice(start, to)
    head.to = +frame.slice(to + 6, count)
    head.count = +frame.slice(count + 9, sent)
    // Unix milliseconds have 13 digits until the year 2286.
    head.oldestAt = +frame.slice(oldest, oldest + 13)
    // Comparisons with NaN are false: this also says that all four are numbers.
    if (head.from > 0 && head.to >= head.from && head.count >= 0 && head.oldestAt > 1e12) return true
  }
  return parseHead(frame, head)
}

function parseHead(frame: string, into: Head): boolean {
  const end = frame.indexOf('\n')
  const head = JSON.parse(end < 0 ? frame : frame.slice(0, end)) as Partial<LiveFrameHead>
  if (head.type !== 'events') return false
  into.from = head.from ?? Number.NaN
  into.to = head.to ?? Number.NaN
  into.count = head.count ?? Number.NaN
  into.oldestAt = head.oldestAt ?? Number.NaN
  return true
}

/** The messages of a frame. One object is filled again and again; only the first `count` entries are of this frame. */
export type Messages = {
  readonly offsets: number[]
  /** What follows the prefix in the event id, as a whole number; -1 for an id that does not begin so. */
  readonly numbers: number[]
  /** The event id, of those without a number only. */
  readonly ids: string[]
  readonly occurredAt: number[]
}

export const emptyMessages = (): Messages => ({ offsets: [], numbers: [], ids: [], occurredAt: [] })

/**
 * Reads every message of a frame.
 *
 * @param prefix of the event ids that are told apart by their number
 * @returns how many there are
 */
export function readMessages(frame: string, head: Head, prefix: string, into: Messages): number {
  if (readWhole(frame, head, prefix, into)) return head.count
  const count = searchMessages(frame, head, prefix, into)
  // With the fields in another order a line is skipped or not understood, so that the number of them is wrong.
  return count === head.count ? count : parseMessages(frame, prefix, into)
}

const { trunc } = Math

/**
 * Reads a frame with every offset of its range, all of whose messages have ids with the prefix, as most frames are.
 *
 * @returns false when it is another, or not as the protocol writes it
 */
export function readWhole(frame: string, { from, to, count }: Head, prefix: string, into: Messages): boolean {
  if (count === 0 || count !== to - from + 1) return false
  // No key can stand in a value: a quotation mark in a value has a backslash before it.
  const ids = frame.split(`,"eventId":"${prefix}`)
  if (ids.length !== count + 1) return false
  const lines = frame.split('\n{"offset":')
  const times = frame.split(',"occurredAt":')
  if (lines.length !== count + 1 || times.length !== count + 1) return false
  const { offsets, numbers, occurredAt } = into
  for (let i = 0, offset = from; i < count; offset++) {
    const id = ids[i + 1]!
    const number = trunc(+id.slice(0, id.indexOf('"')))
    const at = +times[i + 1]!.slice(0, 13)
    // False for what is not a number, too.
    if (!(parseInt(lines[i + 1]!, 10) === offset && number >= 0 && at > 1e12)) return false
    offsets[i] = offset
    numbers[i] = number
    occurredAt[i] = at
    i += 1
  }
  return true
}

/** @returns how many messages were understood before one was not */
function searchMessages(frame: string, head: Head, prefix: string, into: Messages): number {
  let count = 0
  let offset = head.from
  for (let at = frame.indexOf('\n'); at >= 0; count++) {
    if (!frame.startsWith(`{"offset":${offset},`, at + 1)) offset = +frame.slice(at + 11, frame.indexOf(',', at))
    const id = frame.indexOf('"eventId":"', at) + 11
    const isOurs = frame.startsWith(prefix, id)
    const idEnd = frame.indexOf('"', id)
    const occurred = frame.indexOf('"occurredAt":', idEnd) + 13
    const number = isOurs ? Math.trunc(+frame.slice(id + prefix.length, idEnd)) : -1
    const occurredAt = +frame.slice(occurred, occurred + 13)
    if (!(offset > 0 && number >= -1 && occurredAt > 1e12 && id > 11)) break
    into.offsets[count] = offset
    into.numbers[count] = number
    if (number < 0) into.ids[count] = frame.slice(id, idEnd)
    into.occurredAt[count] = occurredAt
    offset += 1
    at = frame.indexOf('\n', occurred)
  }
  return count
}

function parseMessages(frame: string, prefix: string, into: Messages): number {
  const lines = frame.split('\n').slice(1)
  lines.forEach((line, i) => {
    const { offset, eventId, occurredAt } = JSON.parse(line) as LiveMessage
    const number = eventId.startsWith(prefix) ? Math.trunc(Number(eventId.slice(prefix.length))) : -1
    into.offsets[i] = offset
    into.numbers[i] = number >= 0 ? number : -1
    into.ids[i] = eventId
    into.occurredAt[i] = occurredAt
  })
  return lines.length
}
