/** A simple server: a transaction for each request, with a connection from a pool. */
import { runAsChild } from '@hopwhistle/platform/child/run-as-child.ts'
import { type EventSchemas, serveEventRoute } from './event-route.ts'
import { openRowStore } from './row-store.ts'

export type RowAtATimeConfig = {
  readonly schemas: EventSchemas
  readonly databaseUrl: string
  readonly tenantId: string
  /** Connections. */
  readonly poolSize: number
}

runAsChild(async ({ schemas, databaseUrl, tenantId, poolSize }: RowAtATimeConfig) => ({
  ready: { port: await serveEventRoute(schemas, openRowStore(databaseUrl, tenantId, poolSize).store) },
}))
