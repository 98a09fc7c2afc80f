/** How the alternatives get messages to deliver: as the same event that is posted to the API, and the message made of it. */

import { createServer, type Server } from 'node:http'
import type { CallEventBody } from '@hopwhistle/contract/calls.ts'
import type { LiveMessage, LiveType } from '@hopwhistle/contract/live.ts'

/** @param offset the platform numbers its messages; the alternatives leave it at 0 */
export function messageOf(event: CallEventBody, receivedAt: number, offset = 0): LiveMessage {
  const { eventId, callId, state, occurredAt, direction, from, to } = event
  return {
    offset,
    type: `call.${state.toLowerCase()}` as LiveType,
    eventId,
    callId,
    sequence: 1,
    occurredAt: Date.parse(occurredAt),
    receivedAt,
    outcome: 'applied',
    ...(direction === undefined ? {} : { direction }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  }
}

/** Answers every POST with 201 once `publish` has accepted its message. Checks and stores nothing. */
export function servePublishing(publish: (message: LiveMessage) => Promise<unknown> | unknown): Server {
  return createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', async () => {
      await publish(messageOf(JSON.parse(Buffer.concat(chunks).toString()) as CallEventBody, Date.now()))
      response.writeHead(201, { 'content-length': 0 }).end()
    })
  })
}

/** @returns the port */
export function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { readonly port: number }).port))
  })
}
