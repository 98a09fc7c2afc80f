/** The upper limit: a Fastify route that stores nothing. */
import { runAsChild } from '@hopwhistle/platform/child/run-as-child.ts'
import { type EventSchemas, serveEventRoute } from './event-route.ts'

export type StoresNothingConfig = { readonly schemas: EventSchemas }
export type ServerReady = { readonly port: number }

runAsChild(async ({ schemas }: StoresNothingConfig) => ({
  ready: {
    port: await serveEventRoute(schemas, ({ state }) => ({ outcome: 'applied', callState: state })),
  } satisfies ServerReady,
}))
