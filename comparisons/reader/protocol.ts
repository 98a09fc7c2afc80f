/** The protocol of each server, as far as a subscriber needs it to receive messages. */
import { LIVE_SUBPROTOCOL } from '@hopwhistle/contract/live.ts'
import { ROUTES } from '@hopwhistle/contract/routes.ts'
import { HEADERS_OF_KEY } from '../platform/key.ts'

/** `oursLongTick` is the platform with the tick that it has next to k6. */
export type LiveSystem = 'ours' | 'oursLongTick' | 'plainWs' | 'socketIo' | 'centrifugo'

export type Protocol = {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** Sent as soon as the socket is open. */
  readonly hello: readonly string[]
  /** What to send in response to this text; `subscribed` once all later messages will be delivered. */
  react(text: string): { readonly send?: string; readonly subscribed?: true } | undefined
  /** How many messages a text contains, without parsing them; 0 if none. */
  count(text: string): number
}

/** The field of a message with its send time in Unix milliseconds; the same for all servers. */
const SENT_AT = '"occurredAt":'

/** Unix milliseconds of every message in a text. */
export function sentTimes(text: string): readonly number[] {
  const times: number[] = []
  for (let at = text.indexOf(SENT_AT); at >= 0; at = text.indexOf(SENT_AT, at + SENT_AT.length)) {
    times.push(Number(text.slice(at + SENT_AT.length, at + SENT_AT.length + 13)))
  }
  return times
}

export const CENTRIFUGO_CHANNEL = 'calls'

const OURS: Protocol = {
  path: ROUTES.live,
  headers: { ...HEADERS_OF_KEY, 'sec-websocket-protocol': LIVE_SUBPROTOCOL },
  hello: ['{"type":"subscribe","patterns":["call.*"]}'],
  react: (text) => (text.startsWith('{"type":"subscribed"') ? { subscribed: true } : undefined),
  // The header has the number of messages, so a fast reader need not parse them.
  count: (text) => {
    if (!text.startsWith('{"type":"events"')) return 0
    const at = text.indexOf('"count":')
    return Number.parseInt(text.slice(at + 8, at + 16), 10)
  },
}

export const PROTOCOLS: Readonly<Record<LiveSystem, Protocol>> = {
  ours: OURS,
  oursLongTick: OURS,
  plainWs: {
    path: '/',
    headers: {},
    hello: ['subscribe'],
    react: (text) => (text === '{"type":"subscribed"}' ? { subscribed: true } : undefined),
    count: (text) => (text.startsWith('{"offset":') ? 1 : 0),
  },
  socketIo: {
    path: '/socket.io/?EIO=4&transport=websocket',
    headers: {},
    hello: [],
    // Engine.IO opens (0), Socket.IO connects to its namespace (40), and a ping (2) needs an answer (3).
    react: (text) => {
      if (text.startsWith('0{')) return { send: '40' }
      if (text.startsWith('40{')) return { subscribed: true }
      return text === '2' ? { send: '3' } : undefined
    },
    count: (text) => (text.startsWith('42["call"') ? 1 : 0),
  },
  centrifugo: {
    path: '/connection/websocket',
    headers: {},
    hello: [`{"id":1,"connect":{}}\n{"id":2,"subscribe":{"channel":"${CENTRIFUGO_CHANNEL}"}}`],
    react: (text) => {
      if (text.includes('"id":2,"subscribe"')) return { subscribed: true }
      return text === '{}' ? { send: '{}' } : undefined
    },
    // A frame may contain several messages, one per line.
    count: (text) => {
      if (!text.startsWith('{"push"')) return 0
      let count = 1
      for (let at = text.indexOf('\n{"push"'); at >= 0; at = text.indexOf('\n{"push"', at + 1)) count += 1
      return count
    },
  },
}
