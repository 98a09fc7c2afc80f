/** The requests of the generator, as bytes. */
import { CENTRIFUGO_CHANNEL } from '../reader/protocol.ts'
import { messageOf } from '../servers/publish-route.ts'
import { callEvent, occurredAtMs } from './call-events.ts'

export type RequestPlan =
  /**
   * Call events, all different: the n-th of the run. `occurredAt` is `now` for live delivery. For Centrifugo it is the
   * message that the platform makes of such an event, in the format of its HTTP API. A number means that many events in
   * one request.
   */
  | {
      readonly kind: 'events'
      readonly path: string
      readonly headers: Readonly<Record<string, string>>
      readonly run: string
      readonly runStartedAtMs: number
      readonly occurred: 'earlier' | 'now'
      readonly as?: 'event' | 'centrifugo' | number
    }
  /** The paths in turn, then from the first again. */
  | { readonly kind: 'get'; readonly paths: readonly string[]; readonly headers: Readonly<Record<string, string>> }

/** @returns the n-th request */
export function requestsOf(plan: RequestPlan): (n: number) => string {
  const headers = Object.entries({ host: '127.0.0.1', ...plan.headers })
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')
  if (plan.kind === 'get') {
    const requests = plan.paths.map((path) => `GET ${path} HTTP/1.1\r\n${headers}\r\n`)
    return (n) => requests[n % requests.length]!
  }
  const { path, run, runStartedAtMs, occurred, as = 'event' } = plan
  const head = `POST ${path} HTTP/1.1\r\n${headers}content-type: application/json\r\ncontent-length: `
  const event = (n: number) => callEvent(run, n, occurred === 'now' ? Date.now() : occurredAtMs(runStartedAtMs, n))
  const bodyOf = (n: number): object => {
    if (as === 'event') return event(n)
    if (as === 'centrifugo') return { channel: CENTRIFUGO_CHANNEL, data: messageOf(event(n), Date.now(), n) }
    return { events: Array.from({ length: as }, (_, i) => event(n * as + i)) }
  }
  return (n) => {
    const body = JSON.stringify(bodyOf(n))
    return `${head}${body.length}\r\n\r\n${body}`
  }
}
