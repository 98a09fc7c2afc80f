import type { AddressInfo, Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Between, listenBetween } from '../../platform/machine/listen-between.ts'
import { inOwnNetwork, packetFilter } from './own-network.ts'

/**
 * The way from the API to a server, which can be made as bad as a network gets.
 *
 *   open      passes everything on
 *   slow      passes everything on, late and in order, as over a long way that loses packets
 *   half-open nothing passes, and nothing is closed or refused: as when the other machine lost its power
 *
 * What was connected while it was half-open stays silent for ever, as its other end no longer knows it. In a network of
 * one's own the kernel loses the packets: a new connection gets no answer either, and what is lost is sent again by TCP. A
 * proxy alone cannot; what a program sees of a lost packet is that everything behind it waits until it was sent again.
 */
export type Link = Between & {
  set(state: LinkState): void
}

export type LinkState = 'open' | 'half-open' | { readonly delayMs: number; readonly lossRatio: number }

/** What TCP waits at least, beside the time of the way itself, until it sends a packet again. */
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
          // A timer counts from when its turn of the event loop began, so it can ring before the time is up.
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
