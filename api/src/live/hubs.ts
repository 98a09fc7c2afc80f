import type { Hub, HubDependencies } from './hub.ts'
import { openHub } from './hub.ts'

/** A hub a tenant, from its first socket until a while after its last. */
export type Hubs = {
  /** Every `enter` needs a `leave`. */
  enter(tenantId: string): Hub
  leave(tenantId: string): void
  close(): void
}

/** Those who lose their connection come back soon. */
const LINGER_MS = 5_000

export function createHubs(deps: Omit<HubDependencies, 'tenantId'>): Hubs {
  type Entry = { readonly hub: Hub; sockets: number; closing: NodeJS.Timeout | undefined }
  const entries = new Map<string, Entry>()

  return {
    enter: (tenantId) => {
      let entry = entries.get(tenantId)
      if (entry === undefined) {
        entry = { hub: openHub({ ...deps, tenantId }), sockets: 0, closing: undefined }
        entries.set(tenantId, entry)
      }
      clearTimeout(entry.closing)
      entry.sockets += 1
      return entry.hub
    },
    leave: (tenantId) => {
      const entry = entries.get(tenantId)
      if (entry === undefined) return
      entry.sockets -= 1
      if (entry.sockets > 0) return
      entry.closing = setTimeout(() => {
        entries.delete(tenantId)
        entry.hub.close()
      }, LINGER_MS).unref()
    },
    close: () => {
      for (const { hub, closing } of entries.values()) {
        clearTimeout(closing)
        hub.close()
      }
      entries.clear()
    },
  }
}
