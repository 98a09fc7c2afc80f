import type { TypeMask } from '@hopwhistle/contract/patterns.ts'
import type { Position } from './fan-out.ts'
import type { EventsFrame } from './frame.ts'
import { eventsFrames } from './frame.ts'
import type { Hub } from './hub.ts'
import type { LiveSocket } from './live-socket.ts'

/** Tells the socket where it is; comes before anything that follows from there. */
export type SayWhere = (at: Position, recovered: boolean) => void
/** Tells a socket that was recovering that something of it is gone after all. */
export type SayLost = (at: Position) => void

export type CatchUpResult = 'recovered' | 'lost' | 'failed'

/** Messages that are few enough to be fetched while the socket's live frames are held back. */
const NEAR = 1_000

/**
 * Brings a socket that was away from its offset to now, exactly once and in order.
 *
 * behind ──near enough──▶ held ──history sent──▶ live
 *   └────────┴──something is gone──▶ live, told so
 *
 * behind  history is sent page by page, as fast as the socket reads; it does not get live frames yet
 * held    at a boundary T it joined its group, whose frames are held back; history is sent up to T, then they follow
 * live    like any other
 */
export async function catchUp(
  hub: Hub,
  socket: LiveSocket,
  mask: TypeMask,
  from: Position,
  sayWhere: SayWhere,
  sayLost: SayLost,
): Promise<CatchUpResult> {
  const { fanOut } = hub
  let at = from.offset
  let said = false

  const knows = (page: { readonly epoch: string; readonly complete: boolean }) =>
    page.epoch === from.epoch && page.complete
  /** Sends what follows, up to the boundary `end`. @returns false when something is gone */
  async function sendPage(end: () => number): Promise<boolean> {
    const page = await hub.history(at)
    const to = Math.min(page.to, end())
    if (!knows(page) || fanOut.position().epoch !== from.epoch || to <= at) return false
    if (!said) sayWhere(from, true)
    said = true
    const messages = page.messages.filter((message) => (message.bit & mask) !== 0 && message.offset <= to)
    for (const frame of eventsFrames(from.epoch, at + 1, to, messages, Date.now())) send(frame)
    at = to
    return true
  }
  const send = (frame: EventsFrame) => socket.writeAhead(frame.bytes)
  const giveUp = (now: Position): CatchUpResult => {
    if (said) sayLost(now)
    else sayWhere(now, false)
    return 'lost'
  }
  const join = () =>
    new Promise<Position>((resolve) =>
      fanOut.atBoundary((now) => {
        socket.hold()
        fanOut.place(socket, mask)
        resolve(now)
      }),
    )

  try {
    let intact = await hub.reach(from)
    while (intact && fanOut.position().offset - at > NEAR) {
      intact = await sendPage(() => fanOut.position().offset)
      if (!(await socket.room())) return 'failed'
    }
    const now = await join()
    intact &&= now.epoch === from.epoch
    while (intact && at < now.offset) {
      intact = await sendPage(() => now.offset)
      if (!(await socket.room())) return 'failed'
    }
    if (!intact) return giveUp(now)
    if (!said) sayWhere(from, true)
    return 'recovered'
  } catch {
    // Redis does not answer. What was sent so far was in order: the client goes on from there when it comes back.
    socket.close('try-again')
    return 'failed'
  } finally {
    socket.release()
  }
}
