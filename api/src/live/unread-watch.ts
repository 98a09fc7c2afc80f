import { createTicker } from '../timing/ticker.ts'
import type { LiveSocket } from './live-socket.ts'

export type UnreadWatch = {
  add(socket: LiveSocket): void
  remove(socket: LiveSocket): void
  /** Bytes that sockets have yet to read, a frame that several share counted once. */
  bytes(): number
  stop(): void
}

const LOOK_EVERY_MS = 100

/**
 * Keeps what sockets have not read below a bound: past it the slowest reader of the tenant whose frames take the most is closed.
 *
 * Sockets of a tenant with the same subscription are sent the same frames, so the slowest of them keeps what all of them keep.
 * One that is held back or catches up is sent frames of its own.
 */
export function watchUnread(maxBytes: number): UnreadWatch {
  const sockets = new Set<LiveSocket>()
  type Slowest = { readonly socket: LiveSocket; readonly bytes: number }

  function slowest(): readonly Slowest[] {
    const byFrames = new Map<string, Slowest>()
    for (const socket of sockets) {
      const bytes = socket.unread()
      if (bytes === 0) continue
      const frames = socket.framesOf()
      if (bytes > (byFrames.get(frames)?.bytes ?? 0)) byFrames.set(frames, { socket, bytes })
    }
    return [...byFrames.values()]
  }
  const sum = (all: readonly Slowest[]) => all.reduce((total, { bytes }) => total + bytes, 0)

  /** @returns whether one had to be closed */
  function closeOne(): boolean {
    const all = slowest()
    if (sum(all) <= maxBytes) return false
    const byTenant = new Map<string, Slowest[]>()
    for (const one of all) byTenant.set(one.socket.tenantId, [...(byTenant.get(one.socket.tenantId) ?? []), one])
    const most = [...byTenant.values()].reduce((a, b) => (sum(b) > sum(a) ? b : a))
    const victim = most.reduce((a, b) => (b.bytes > a.bytes ? b : a)).socket
    victim.close('slow-reader')
    sockets.delete(victim)
    return true
  }

  const looking = createTicker(LOOK_EVERY_MS, () => {
    while (closeOne());
    return sockets.size > 0
  })
  return {
    add: (socket) => {
      sockets.add(socket)
      looking.wake()
    },
    remove: (socket) => void sockets.delete(socket),
    bytes: () => sum(slowest()),
    stop: looking.stop,
  }
}
