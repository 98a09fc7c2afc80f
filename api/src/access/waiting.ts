/** Items that wait to be taken, some at a time. */
export type Waiting<T> = {
  size(): number
  push(item: T): void
  /** @param most of them; at least one waits */
  take(most: number): readonly T[]
}

/** The first to come is the first to be taken. */
export function waitingInOrder<T>(): Waiting<T> {
  let items: T[] = []
  return {
    size: () => items.length,
    push: (item) => void items.push(item),
    take: (most) => {
      const taken = items.length <= most ? items : items.slice(0, most)
      items = items.length <= most ? [] : items.slice(most)
      return taken
    },
  }
}

/**
 * Takes items of one tenant at a time, and the tenants take turns. This is deficit round robin with items that all cost the
 * same, so a tenant never keeps a deficit.
 */
export function waitingInTurns<T extends { readonly tenantId: string }>(): Waiting<T> {
  // In the order of their next turns.
  const tenants = new Map<string, Waiting<T>>()
  let size = 0
  return {
    size: () => size,
    push: (item) => {
      size += 1
      const own = tenants.get(item.tenantId) ?? waitingInOrder<T>()
      own.push(item)
      tenants.set(item.tenantId, own)
    },
    take: (most) => {
      const [tenantId, own] = tenants.entries().next().value as [string, Waiting<T>]
      const taken = own.take(most)
      size -= taken.length
      tenants.delete(tenantId)
      if (own.size() > 0) tenants.set(tenantId, own)
      return taken
    },
  }
}
