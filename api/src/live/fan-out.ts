import type { TypeMask } from '@hopwhistle/contract/patterns.ts'
import { MASK_ALL, MASK_NONE } from '@hopwhistle/contract/patterns.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { eventsFrames, jsonFrame } from './frame.ts'
import type { LiveSocket } from './live-socket.ts'
import type { EncodedMessage } from './messages.ts'

export type FanOutMetrics = Pick<Metrics, 'liveDelivered' | 'liveFrames' | 'liveDelay'>

/** A place in a tenant's log. */
export type Position = { readonly epoch: string; readonly offset: number }

/**
 * Sends one tenant's messages to the sockets of this instance.
 *
 * Messages that come together, as those of one tick do, share a frame, built once for all sockets with the same
 * subscription: the first batch of them waits a moment for those that other instances publish, no longer than until as
 * many have come as usual, and until the last frame is half a tick ago. After a quiet tick it does not wait. Between
 * two such frames is a boundary: all that was received has been sent. Only there do sockets join, leave a subscription
 * for another or learn where they are, so that none misses or repeats.
 *
 * The sockets of a group are always at the same offset: they got the same frames.
 */
export type FanOut = {
  /** The offset up to which everything has been sent. */
  position(): Position
  /** Starts at a position, with nothing before it to send. */
  begin(position: Position): void
  /** Takes the messages of one batch that follow, up to the offset `to`. */
  push(messages: readonly EncodedMessage[], to: number): void
  /** Runs at the next boundary: at once when there is nothing to send. */
  atBoundary(run: (position: Position) => void): void
  /** Puts a socket into the group of a subscription; only at a boundary. `MASK_NONE` takes it out of any. */
  place(socket: LiveSocket, mask: TypeMask): void
  remove(socket: LiveSocket): void
  /** Tells every socket that messages were lost, and goes on from a new position. */
  reset(position: Position): void
  /** Moves sockets on that have long matched nothing, so that the offset they would recover from stays a recent one. */
  settle(): void
  stop(): void
}

type Group = { readonly mask: TypeMask; readonly sockets: Set<LiveSocket>; settledTo: number }

/** How long after the first of a tick's batches the last of them comes, from an instance that was busy at the tick. */
const GATHER_MS = 4
/** By how many batches less are waited for after every tick that had fewer: an instance that has gone is missed ten times. */
const FORGET = 0.05
/** What comes so many ticks after the first batch of a tick is of the next. */
const NEXT_TICK = 0.75
/** So many ticks after a frame there was one without. */
const QUIET_TICKS = 1.5

/** @param tickMs from one tick of the publishers to the next */
export function createFanOut(tickMs: number, metrics: FanOutMetrics): FanOut {
  const groups = new Map<TypeMask, Group>()
  const groupOf = new Map<LiveSocket, Group>()
  let epoch = ''
  let sentTo = 0
  let receivedTo = 0
  let pending: EncodedMessage[] = []
  let waiting: ((position: Position) => void)[] = []
  let tick: NodeJS.Timeout | undefined
  let soon: NodeJS.Immediate | undefined
  let sentAtMs = Number.NEGATIVE_INFINITY
  let tickStartedAtMs = Number.NEGATIVE_INFINITY
  let batches = 0
  let usualBatches = 1

  const position = (): Position => ({ epoch, offset: sentTo })
  const isAtBoundary = () => sentTo === receivedTo

  function send(group: Group, messages: readonly EncodedMessage[], sentAt: number): number {
    const frames = eventsFrames(epoch, group.settledTo + 1, receivedTo, messages, sentAt)
    for (const { bytes } of frames) {
      for (const socket of group.sockets) socket.write(bytes)
    }
    metrics.liveFrames.inc(frames.length * group.sockets.size)
    group.settledTo = receivedTo
    return messages.length * group.sockets.size
  }

  function flush(): void {
    if (!isAtBoundary()) {
      const messages = pending
      pending = []
      let delivered = 0
      const sentAt = Date.now()
      for (const group of groups.values()) {
        const matching = group.mask === MASK_ALL ? messages : messages.filter((m) => (m.bit & group.mask) !== 0)
        if (matching.length > 0) delivered += send(group, matching, sentAt)
      }
      sentTo = receivedTo
      if (delivered > 0) {
        metrics.liveDelivered.inc(delivered)
        const writtenAt = Date.now()
        for (const { receivedAt } of messages) metrics.liveDelay.observe(Math.max(0, writtenAt - receivedAt) / 1000)
      }
    }
    const run = waiting
    waiting = []
    for (const each of run) each(position())
  }

  /** By ticks, not by frames: of two instances the second might for ever be alone in a frame of its own. */
  function countBatch(): void {
    const now = performance.now()
    if (now - tickStartedAtMs >= tickMs * NEXT_TICK) {
      usualBatches = Math.max(batches, usualBatches - FORGET)
      batches = 0
      tickStartedAtMs = now
    }
    batches += 1
  }
  function flushSoon(): void {
    if (soon !== undefined) return
    const sinceMs = performance.now() - sentAtMs
    const allHaveCome = batches >= Math.round(usualBatches) && sinceMs >= tickMs / 2
    if (allHaveCome || sinceMs >= tickMs * QUIET_TICKS) {
      clearTimeout(tick)
      // Not at once: more may have come in the same packet.
      soon = setImmediate(flushNow)
    } else tick ??= setTimeout(flushNow, Math.max(Math.min(GATHER_MS, tickMs / 2), tickMs / 2 - sinceMs))
  }
  function flushNow(): void {
    tick = undefined
    soon = undefined
    sentAtMs = performance.now()
    flush()
  }

  function remove(socket: LiveSocket): void {
    const group = groupOf.get(socket)
    if (group === undefined) return
    groupOf.delete(socket)
    group.sockets.delete(socket)
    if (group.sockets.size === 0) groups.delete(group.mask)
  }
  function settleGroup(group: Group): void {
    if (group.settledTo === sentTo) return
    const [frame] = eventsFrames(epoch, group.settledTo + 1, sentTo, [], Date.now())
    for (const socket of group.sockets) socket.write(frame!.bytes)
    metrics.liveFrames.inc(group.sockets.size)
    group.settledTo = sentTo
  }

  return {
    position,
    begin: (at) => {
      epoch = at.epoch
      sentTo = at.offset
      receivedTo = at.offset
    },
    push: (messages, to) => {
      for (const message of messages) pending.push(message)
      receivedTo = to
      countBatch()
      flushSoon()
    },
    atBoundary: (run) => {
      if (isAtBoundary()) return run(position())
      waiting.push(run)
      flushSoon()
    },
    place: (socket, mask) => {
      const before = groupOf.get(socket)
      // A socket that changes its group must be at the same offset as the new group.
      if (before !== undefined) settleGroup(before)
      remove(socket)
      if (mask === MASK_NONE || !socket.isOpen()) return
      const group = groups.get(mask) ?? { mask, sockets: new Set(), settledTo: sentTo }
      settleGroup(group)
      groups.set(mask, group)
      group.sockets.add(socket)
      socket.follow(mask)
      groupOf.set(socket, group)
    },
    remove,
    reset: (at) => {
      flush()
      epoch = at.epoch
      sentTo = at.offset
      receivedTo = at.offset
      const notice = jsonFrame({ type: 'reset', epoch, offset: at.offset, recovered: false })
      for (const group of groups.values()) {
        group.settledTo = at.offset
        for (const socket of group.sockets) socket.write(notice)
      }
    },
    settle: () => {
      if (!isAtBoundary()) return
      for (const group of groups.values()) settleGroup(group)
    },
    stop: () => {
      clearTimeout(tick)
      clearImmediate(soon)
      for (const run of waiting) run(position())
      groups.clear()
      groupOf.clear()
    },
  }
}
