import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { HEADERS } from '@hopwhistle/contract/routes.ts'
import { type Problem, problemBody } from '../errors/problem.ts'
import { SECURITY_HEADERS } from './security-headers.ts'

/** How long a client has to read it. */
const GRACE_MS = 1_000

/** Answers with a problem where there is no reply to answer with, as any route would, and ends the connection. */
export function endWithProblem(connection: Duplex, problem: Problem, requestId?: string): void {
  if (!connection.writable) return void connection.destroy()
  const body = JSON.stringify(problemBody(problem, requestId))
  const headers = {
    ...SECURITY_HEADERS,
    'content-type': 'application/problem+json',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    connection: 'close',
    ...problemHeaders(problem),
    ...(requestId === undefined ? {} : { [HEADERS.requestId]: requestId }),
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  connection.end(`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}\r\n${lines.join('')}\r\n${body}`)
  setTimeout(() => connection.destroy(), GRACE_MS).unref()
}

/** What a problem says in headers. */
export function problemHeaders({ status, retryAfterSeconds }: Problem): Readonly<Record<string, string>> {
  return {
    ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
    ...(status === 401 ? { 'www-authenticate': 'Bearer realm="hopwhistle"' } : {}),
  }
}
