import type { Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import { type Between, listenBetween } from '../machine/listen-between.ts'

/**
 * Stands between a client and real servers, as a load balancer does, so that a test can take the way between them away.
 *
 *   open     passes everything on
 *   cut      connections are reset, new ones at once
 *   stalled  nothing passes and nothing is closed, as when a machine loses power
 */
export type TcpProxy = Between & {
  set(state: 'open' | 'cut' | 'stalled'): void
  /** Where new connections lead from now on: to each of these ports in turn. */
  lead(...ports: readonly number[]): void
  /** Keeps back the next answer that has this text in it, and resets its connection instead. */
  loseNextAnswer(marker: string): void
  /** Answers lost so far. */
  lost(): number
}

/** @param ports of the servers behind it: new connections lead to each in turn */
export async function startTcpProxy(...ports: readonly number[]): Promise<TcpProxy> {
  let state: 'open' | 'cut' | 'stalled' = 'open'
  let [targets, taken] = [ports, 0]
  let marker: string | undefined
  let lost = 0
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    if (state === 'cut') return client.resetAndDestroy()
    const target = connect(targets[taken++ % targets.length] as number, '127.0.0.1')
    for (const [from, to] of [
      [client, target],
      [target, client],
    ] as const) {
      sockets.add(from)
      from.on('error', () => to.destroy())
      from.on('close', () => {
        sockets.delete(from)
        to.end()
      })
      from.on('data', (bytes) => {
        if (from === client || marker === undefined || !bytes.includes(marker)) return to.write(bytes)
        marker = undefined
        lost += 1
        return to.resetAndDestroy()
      })
      if (state === 'stalled') from.pause()
    }
    return undefined
  })
  const between = await listenBetween(server, sockets)

  return {
    ...between,
    set: (next) => {
      state = next
      for (const socket of sockets) {
        if (next === 'cut') socket.resetAndDestroy()
        else if (next === 'stalled') socket.pause()
        else socket.resume()
      }
    },
    lead: (...next) => {
      targets = next
    },
    loseNextAnswer: (text) => {
      marker = text
    },
    lost: () => lost,
  }
}
