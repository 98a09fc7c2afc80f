import type { LiveRequest } from '@hopwhistle/contract/live.ts'
import { LIVE_CLIENT_BOUNDS } from '@hopwhistle/contract/live.ts'
import { maskOfPatterns } from '@hopwhistle/contract/patterns.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { catchUp } from './catch-up.ts'
import { parseRequest } from './client-request.ts'
import type { Position } from './fan-out.ts'
import { jsonFrame } from './frame.ts'
import type { Hub } from './hub.ts'
import type { LiveSocket } from './live-socket.ts'
import { createMessageAllowance } from './message-allowance.ts'

export type Session = {
  /** A frame from the client; undefined for one that is not text. */
  onMessage(text: string | undefined): void
  /** A ping or pong of the client, which counts against its allowance. */
  onControlFrame(): void
}

/** Requests that may wait for the one before them, for a socket that is catching up. */
const WAITING_MAX = 16

/** What one client asks for, one request after the other. */
export function createSession(socket: LiveSocket, hub: Hub, metrics: Pick<Metrics, 'liveRecoveries'>): Session {
  const patterns = new Set<string>()
  const allowance = createMessageAllowance(LIVE_CLIENT_BOUNDS.messagesPerSecond, LIVE_CLIENT_BOUNDS.messagesBurst)
  let last = Promise.resolve()
  let waiting = 0

  function isAllowed(): boolean {
    if (!socket.isOpen()) return false
    if (allowance.take() && waiting < WAITING_MAX) return true
    socket.close('too-many-requests')
    return false
  }
  function refuse(message: string): void {
    socket.writeAhead(jsonFrame({ type: 'error', code: 'bad-message', message }))
    socket.close('bad-message')
  }

  async function subscribe({ patterns: added, recover }: LiveRequest & { type: 'subscribe' }): Promise<void> {
    if (recover !== undefined && patterns.size > 0) {
      return refuse('recover is only for a socket that is subscribed to nothing; subscribe with it first')
    }
    for (const pattern of added) patterns.add(pattern)
    if (!(await hub.opened())) return socket.close('try-again')
    const subscribed = (at: Position, recovered: boolean) =>
      jsonFrame({ type: 'subscribed', patterns: [...patterns], epoch: at.epoch, offset: at.offset, recovered })
    if (recover === undefined) return change((at) => subscribed(at, true))
    const result = await catchUp(
      hub,
      socket,
      maskOfPatterns(patterns) ?? 0,
      recover,
      (at, recovered) => socket.writeAhead(subscribed(at, recovered)),
      (at) => socket.writeAhead(jsonFrame({ type: 'reset', epoch: at.epoch, offset: at.offset, recovered: false })),
    )
    metrics.liveRecoveries.inc({ result })
  }

  async function unsubscribe({ patterns: removed }: LiveRequest & { type: 'unsubscribe' }): Promise<void> {
    for (const pattern of removed) patterns.delete(pattern)
    if (!(await hub.opened())) return socket.close('try-again')
    return change((at) =>
      jsonFrame({ type: 'unsubscribed', patterns: [...patterns], epoch: at.epoch, offset: at.offset }),
    )
  }

  /** At a boundary, so that the answer says exactly from where the new patterns hold. */
  function change(answer: (at: Position) => Buffer): Promise<void> {
    return new Promise((resolve) =>
      hub.fanOut.atBoundary((at) => {
        hub.fanOut.place(socket, maskOfPatterns(patterns) ?? 0)
        socket.write(answer(at))
        resolve()
      }),
    )
  }

  async function handle(request: LiveRequest): Promise<void> {
    if (!socket.isOpen()) return
    if (request.type === 'subscribe') await subscribe(request)
    else if (request.type === 'unsubscribe') await unsubscribe(request)
  }

  return {
    onMessage: (text) => {
      if (!isAllowed()) return
      const request = text === undefined ? 'the message is binary; send text' : parseRequest(text)
      if (typeof request === 'string') return refuse(request)
      if (request.type === 'ping') return socket.write(jsonFrame({ type: 'pong', at: Date.now() }))
      waiting += 1
      last = last
        .then(() => handle(request))
        .finally(() => {
          waiting -= 1
        })
    },
    onControlFrame: () => void isAllowed(),
  }
}
