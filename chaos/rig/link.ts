import type { AddressInfo, Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Between, listenBetween } from '../../platform/machine/listen-between.ts'
import { inOwnNetwork, packetFilter } from './own-network.ts'

/**
 * A proxy between the API and a server, which can behave like a bad network.
 *
 *   open      passes all data
 *   slow      passes all data late and in order, as over a long distance with packet loss
 *   half-open passes nothing, and closes or refuses nothing: as when the other machine lost power
 *
 * A connection that was open while the link was half-open stays silent for ever, because its other end no longer knows
 * it. In a network of our own, the kernel drops the packets: a new connection gets no answer either, and TCP resends what
 * is lost. A proxy alone cannot do that. It does what a program sees of a lost packet: all data behind it waits.
 */
export type Link = Between & {
  set(state: LinkState): void
}

export type LinkState = 'open' | 'half-open' | { readonly delayMs: number; readonly lossRatio: number }

/** The shortest time, besides the round trip, after which TCP resends a packet. */
const RESEND_AFTER_MS = 200

export async function startLink(target: string, random: () => number): Promise<Link> {
  let state: LinkState = 'open'
  const silent = new WeakSet<Socket>()
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (client) => {
    const there = connect({ port: Number(new URL(target).port), host: '127.0.0.1', noDelay: true })
    for (const [from, to] of [
      [client, there],
      [there, client],
    ] as const) {
      sockets.add(from)
      if (state === 'half-open') silent.add(from)
      let sent = Promise.resolve()
      const after = (pass: () => void) => {
        const due = performance.now() + delay()
        sent = sent.then(async () => {
          // A timer counts from the start of its event loop turn, so it can fire early.
          for (let wait = due - performance.now(); wait > 0; wait = due - performance.now())
            await sleep(Math.ceil(wait))
          if (!silent.has(from)) pass()
        })
      }
      from.on('data', (bytes) => after(() => to.write(bytes)))
      from.on('end', () => after(() => to.end()))
      from.on('error', () => {})
      from.on('close', () => {
        sockets.delete(from)
        after(() => to.destroy())
      })
    }
  })
  const delay = (): number => {
    if (typeof state === 'string') return 0
    if (filter !== undefined) return state.delayMs
    return random() < state.lossRatio ? 3 * state.delayMs + RESEND_AFTER_MS : state.delayMs
  }
  const between = await listenBetween(server, sockets)
  const filter = inOwnNetwork() ? packetFilter((server.address() as AddressInfo).port) : undefined

  return {
    ...between,
    set: (next) => {
      state = next
      if (next === 'half-open') for (const socket of sockets) silent.add(socket)
      if (next === 'open') filter?.loseNone()
      else if (next === 'half-open') filter?.loseAll()
      else if (next.lossRatio > 0) filter?.loseSome(next.lossRatio, random)
    },
  }
}
