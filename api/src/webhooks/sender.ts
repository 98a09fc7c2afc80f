/**
 * One request to a webhook: signed as Standard Webhooks says, to an address that was checked, within a time, and with as little
 * of the answer read as an attacker could make long.
 */
import { type ClientRequest, Agent as HttpAgent, request as requestHttp } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import { Webhook } from 'standardwebhooks'
import { type Addresses, AddressRefused } from './addresses.ts'

/** What a webhook is sent to, and how it is signed. */
export type Target = {
  readonly url: string
  /** The newest first; the signatures of all are sent. */
  readonly secrets: readonly string[]
}

export type Message = {
  /** The same for every attempt at the same event, so that the receiver can tell. */
  readonly id: string
  readonly body: string
}

export type Attempt = {
  /** Answered with 2xx. */
  readonly delivered: boolean
  /** Absent when there was no answer. */
  readonly status?: number
  /** Why there was none, for the tenant. */
  readonly error?: string
  readonly retryAfterMs?: number
  readonly ms: number
}

export type Sender = {
  /** Never rejects. Ends within the timeout. */
  send(target: Target, message: Message): Promise<Attempt>
  close(): void
}

const ANSWER_MAX_BYTES = 16_384
const IDLE_CONNECTION_MS = 15_000

/** Connections of a sender are its own. @param ca more authorities than Node knows */
export function createSender(addresses: Addresses, timeoutMs: number, connections: number, ca?: string): Sender {
  const options = { keepAlive: true, maxSockets: connections, maxFreeSockets: connections, timeout: IDLE_CONNECTION_MS }
  const agents = { 'http:': new HttpAgent(options), 'https:': new HttpsAgent({ ...options, ...(ca && { ca }) }) }

  function ask({ url: text, secrets }: Target, { id, body }: Message, signal: AbortSignal): ClientRequest {
    const url = new URL(text)
    const now = new Date()
    const bytes = Buffer.from(body)
    const options = {
      method: 'POST',
      signal,
      lookup: addresses.lookup,
      headers: {
        'content-type': 'application/json',
        'content-length': bytes.length,
        'user-agent': 'hopwhistle-webhooks/1',
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
        'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(id, now, body)).join(' '),
      },
    }
    const asked =
      url.protocol === 'https:'
        ? requestHttps(url, { ...options, agent: agents['https:'] })
        : requestHttp(url, { ...options, agent: agents['http:'] })
    asked.end(bytes)
    return asked
  }

  return {
    send: (target, message) =>
      new Promise((resolve) => {
        const startedAt = performance.now()
        const end = (attempt: Omit<Attempt, 'ms'>) =>
          resolve({ ...attempt, ms: Math.round(performance.now() - startedAt) })
        const fail = (error: unknown) => end({ delivered: false, error: reasonOf(error, timeoutMs) })
        // An address is not looked up: it is checked here. So is what another version of the platform let in.
        const problem = addresses.problemWith(target.url)
        if (problem !== undefined) return fail(new AddressRefused(`the URL ${problem}`))
        const signal = AbortSignal.timeout(timeoutMs)
        const askOnce = (again: boolean) => {
          const asked = ask(target, message, signal)
          asked.on('error', (error: NodeJS.ErrnoException) => {
            // The server closed a connection of before, in the moment that it was used again.
            if (!again && asked.reusedSocket && error.code === 'ECONNRESET') askOnce(true)
            else fail(error)
          })
          asked.on('response', (response) => {
            const { statusCode: status = 0, headers } = response
            end({ delivered: status >= 200 && status < 300, status, ...retryAfter(headers['retry-after']) })
            let bytes = 0
            response.on('error', () => {})
            response.on('data', (chunk: Buffer) => {
              bytes += chunk.length
              if (bytes > ANSWER_MAX_BYTES) response.destroy()
            })
          })
        }
        try {
          askOnce(false)
        } catch (error) {
          fail(error)
        }
      }),
    close: () => {
      for (const agent of Object.values(agents)) agent.destroy()
    },
  }
}

function retryAfter(given: string | undefined): { readonly retryAfterMs?: number } {
  const seconds = Number(given)
  return given !== undefined && Number.isInteger(seconds) && seconds >= 0 ? { retryAfterMs: seconds * 1000 } : {}
}

/** What went wrong, without an address that a tenant could learn something from. */
function reasonOf(error: unknown, timeoutMs: number): string {
  if (error instanceof AddressRefused) return `not sent: ${error.message}`
  const { code, name } = error as { readonly code?: string; readonly name?: string }
  if (name === 'AbortError' || name === 'TimeoutError') return `no answer within ${timeoutMs} ms`
  return code === undefined ? 'the request failed' : `the request failed: ${code}`
}
