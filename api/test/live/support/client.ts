import type { LiveFrameHead, LiveMessage } from '@hopwhistle/contract/live.ts'
import { WebSocket } from 'ws'
import { GiveUp, waitUntil } from '../../../../platform/lib/wait-until.ts'

export type Notice = {
  type: string
  epoch: string
  offset: number
  recovered: boolean
  patterns: string[]
  message?: string
}

export type TestClient = ReturnType<typeof openClient>

/** A client that checks every promise of the protocol as frames come in, and remembers everything. */
export function openClient(url: string, key = 'key', headers: Record<string, string> = {}) {
  const socket = new WebSocket(url, { headers: { 'x-api-key': key, ...headers } })
  const messages: LiveMessage[] = []
  const heads: LiveFrameHead[] = []
  const notices: Notice[] = []
  const broken: string[] = []
  let epoch = ''
  let offset = -1
  let closed: { code: number; reason: string } | undefined
  let failure: Error | undefined

  function onEvents(head: LiveFrameHead, lines: readonly string[]): void {
    if (head.epoch !== epoch) broken.push(`a frame of epoch ${head.epoch} in epoch ${epoch}`)
    if (head.from !== offset + 1) broken.push(`a frame from ${head.from} after offset ${offset}`)
    if (head.count !== lines.length) broken.push(`a frame of ${lines.length} messages says ${head.count}`)
    let last = head.from - 1
    for (const line of lines) {
      const message = JSON.parse(line) as LiveMessage
      if (message.offset <= last || message.offset > head.to)
        broken.push(`offset ${message.offset} in ${head.from}…${head.to}`)
      if (message.occurredAt < head.oldestAt) broken.push(`a message older than oldestAt`)
      last = message.offset
      messages.push(message)
    }
    heads.push(head)
    offset = head.to
  }
  socket.on('message', (data) => {
    const [first = '', ...lines] = String(data).split('\n')
    const head = JSON.parse(first) as LiveFrameHead | Notice
    if (head.type === 'events') return onEvents(head as LiveFrameHead, lines)
    const notice = head as Notice
    notices.push(notice)
    if (notice.type === 'subscribed' || notice.type === 'reset') {
      epoch = notice.epoch
      offset = notice.offset
    }
  })
  socket.on('close', (code, reason) => {
    closed = { code, reason: String(reason) }
  })
  socket.on('error', (error) => {
    failure = error
  })

  const until = <T>(what: string, ask: () => T | undefined | false, timeoutMs = 10_000) =>
    waitUntil(what, ask, { timeoutMs, everyMs: 2 })
  const opened = () =>
    until('the socket to open', () => {
      if (failure !== undefined) throw new GiveUp(failure)
      return socket.readyState === WebSocket.OPEN
    })
  const send = (value: unknown) => socket.send(typeof value === 'string' ? value : JSON.stringify(value))

  return {
    socket,
    messages,
    heads,
    notices,
    send,
    ids: () => messages.map((message) => message.eventId),
    position: () => ({ epoch, offset }),
    /** What the server did that it must not. */
    broken: () => broken,
    closed: () => closed,
    opened,
    closedWith: (timeoutMs?: number) => until('the socket to be closed', () => closed, timeoutMs),
    /** Subscribes, and resolves with the answer. */
    async subscribe(patterns: readonly string[] = ['call.*'], recover?: { epoch: string; offset: number }) {
      await opened()
      const before = notices.length
      send({ type: 'subscribe', patterns, recover })
      return until('the subscription to be answered', () => notices.slice(before).find((n) => n.type === 'subscribed'))
    },
    notice: (type: string, timeoutMs?: number) =>
      until(`a notice "${type}"`, () => notices.find((notice) => notice.type === type), timeoutMs),
    received: (count: number, timeoutMs?: number) =>
      until(`${count} messages (${messages.length} so far)`, () => messages.length >= count, timeoutMs),
    settledTo: (wanted: number, timeoutMs?: number) => until(`offset ${wanted}`, () => offset >= wanted, timeoutMs),
    /** As a network that breaks does. */
    cut: () => socket.terminate(),
    close: () => socket.close(),
  }
}
