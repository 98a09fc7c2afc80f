/** What the generator sends, as the bytes that go over the wire. */
import { callEvent, occurredAtMs } from './call-events.ts'

export type RequestPlan =
  /** Call events, each another one: the n-th of the run. `occurredAt` is `now` for what is delivered live. */
  | {
      readonly kind: 'events'
      readonly path: string
      readonly headers: Readonly<Record<string, string>>
      readonly run: string
      readonly runStartedAtMs: number
      readonly occurred: 'earlier' | 'now'
    }
  /** The paths, one after the other and again from the first. */
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
  const { path, run, runStartedAtMs, occurred } = plan
  const head = `POST ${path} HTTP/1.1\r\n${headers}content-type: application/json\r\ncontent-length: `
  return (n) => {
    const body = JSON.stringify(callEvent(run, n, occurred === 'now' ? Date.now() : occurredAtMs(runStartedAtMs, n)))
    return `${head}${body.length}\r\n\r\n${body}`
  }
}
