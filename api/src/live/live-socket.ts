import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { LIVE_CLOSE } from '@hopwhistle/contract/live.ts'
import type { TypeMask } from '@hopwhistle/contract/patterns.ts'
import type { WebSocket } from 'ws'

/** Why we close a socket: its code on the wire, and the reason given with it. */
const CLOSE = {
  restart: [LIVE_CLOSE.restart, 'this instance is shutting down; connect again and recover'],
  'try-again': [LIVE_CLOSE.tryAgain, 'live delivery is not available right now; connect again and recover'],
  'over-share': [
    LIVE_CLOSE.tryAgain,
    'this instance is full, and this tenant has the most sockets; connect again and recover',
  ],
  'slow-reader': [LIVE_CLOSE.slowReader, 'read too slowly; connect again and recover'],
  'bad-message': [LIVE_CLOSE.badMessage, 'bad message'],
  unauthorized: [LIVE_CLOSE.unauthorized, 'the API key or the token is no longer valid'],
  'too-many-requests': [LIVE_CLOSE.tooManyRequests, 'too many messages'],
} as const satisfies Record<string, readonly [code: number, reason: string]>

export type CloseReason = keyof typeof CLOSE
/** `gone`: the other end no longer answers; `client`: it closed. */
export type EndReason = CloseReason | 'gone' | 'client'

/** How long a socket has to take note of its close before its connection is cut. */
const CLOSE_GRACE_MS = 1_000
const ROOM_ASKED_EVERY_MS = 10
const STALLED_MS = 10_000

/**
 * One subscriber's socket, with a bound on what it has not read.
 *
 * open ──close()──▶ closing ──answered, or a second later──▶ closed
 *
 * open     frames are written, or kept in order while it is held back
 * closing  nothing is written any more
 */
export type LiveSocket = {
  readonly id: number
  readonly keyId: string
  readonly tenantId: string
  isOpen(): boolean
  /** Bytes that wait for the other end to read. */
  unread(): number
  /** The same for all sockets that are sent the same frames. */
  framesOf(): string
  /** Sends whole frames as they are. Past the bound the socket is closed as a slow reader. */
  write(frame: Buffer): void
  /** Ahead of what is held back, and whatever the bound: for who waits for `room` between two of them. */
  writeAhead(frame: Buffer): void
  /** Keeps what is written from here on, until `release`. */
  hold(): void
  release(): void
  /** Resolves when most of what was written has been read: true, or false when the socket is no longer open. */
  room(): Promise<boolean>
  /** Which frames it is sent from here on. */
  follow(mask: TypeMask): void
  close(reason: CloseReason): void
  /** Cuts the connection of an other end that does not answer. */
  cut(): void
  /** Why it was or is being closed. */
  endReason(): EndReason
}

export type LiveSocketOptions = {
  readonly id: number
  readonly keyId: string
  readonly tenantId: string
  readonly bufferMaxBytes: number
}

/**
 * Frames go straight to the connection, each in one write. Between two writes of ours `ws` writes whole frames as
 * well (pongs, the close), so nothing is torn apart; and once it has sent a close, nothing more of ours follows.
 */
export function liveSocket(ws: WebSocket, connection: Duplex, options: LiveSocketOptions): LiveSocket {
  const { id, keyId, tenantId, bufferMaxBytes } = options
  let held: Buffer[] | undefined
  let heldBytes = 0
  let ending: EndReason | undefined
  let frames = `own ${id}`

  const isOpen = () => ws.readyState === ws.OPEN
  function writeNow(frame: Buffer): void {
    if (!isOpen()) return
    if (connection.writableLength + heldBytes > bufferMaxBytes) close('slow-reader')
    else connection.write(frame)
  }
  function close(reason: CloseReason): void {
    if (!isOpen()) return
    ending ??= reason
    held = undefined
    heldBytes = 0
    const [code, text] = CLOSE[reason]
    ws.close(code, text)
    setTimeout(() => ws.terminate(), CLOSE_GRACE_MS).unref()
  }

  return {
    id,
    keyId,
    tenantId,
    isOpen,
    unread: () => connection.writableLength + heldBytes,
    framesOf: () => (held === undefined ? frames : `own ${id}`),
    follow: (mask) => {
      frames = `${tenantId} ${mask}`
    },
    write: (frame) => {
      if (held === undefined) return writeNow(frame)
      held.push(frame)
      heldBytes += frame.length
      if (connection.writableLength + heldBytes > bufferMaxBytes) close('slow-reader')
    },
    writeAhead: (frame) => {
      if (isOpen()) connection.write(frame)
    },
    hold: () => {
      held ??= []
    },
    release: () => {
      const frames = held ?? []
      held = undefined
      heldBytes = 0
      for (const frame of frames) writeNow(frame)
    },
    room: async () => {
      let length = connection.writableLength
      let movedAt = Date.now()
      while (isOpen() && connection.writableLength > bufferMaxBytes / 4) {
        await sleep(ROOM_ASKED_EVERY_MS)
        if (connection.writableLength < length) movedAt = Date.now()
        else if (Date.now() - movedAt > STALLED_MS) close('slow-reader')
        length = connection.writableLength
      }
      return isOpen()
    },
    close,
    cut: () => {
      ending ??= 'gone'
      ws.terminate()
    },
    endReason: () => ending ?? 'client',
  }
}
