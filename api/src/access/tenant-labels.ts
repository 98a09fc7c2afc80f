import { LRUCache } from 'lru-cache'
import { LabelsRefused } from '../errors/catalogue.ts'

/** The names under which a tenant's events may carry labels, and reports may filter and group by them. */
export type TenantLabels = {
  /**
   * Costs a look-up in memory, and a query now and then.
   *
   * @param fieldOf what a refusal calls the label
   * @throws {LabelsRefused} some of these are not declared @throws {DatabaseUnavailable}
   */
  require(tenantId: string, names: readonly string[], fieldOf: (name: string) => string): Promise<void>
  /** As they are now. @throws {DatabaseUnavailable} */
  read(tenantId: string): Promise<readonly string[]>
  /** In the place of those there were. @throws {DatabaseUnavailable} */
  declare(tenantId: string, names: readonly string[]): Promise<void>
}

export type LabelStore = {
  find(tenantId: string): Promise<readonly string[]>
  declare(tenantId: string, names: readonly string[]): Promise<void>
}

/** Tenants asked for last. */
const KNOWN_MAX = 10_000
/** A name that is not known is asked for again, but not more often than this: so a new one is known at once. */
const UNKNOWN_AGAIN_MS = 1_000
const NAMED_MAX = 3

/** @param cacheMs how long a name that is declared no more may still be taken */
export function createTenantLabels(
  store: LabelStore,
  cacheMs: number,
  now: () => number = () => performance.now(),
): TenantLabels {
  const known = new LRUCache<string, { readonly names: readonly string[]; readonly atMs: number }>({ max: KNOWN_MAX })
  const asking = new Map<string, Promise<readonly string[]>>()

  /** Once for all who ask at the same moment. */
  function ask(tenantId: string): Promise<readonly string[]> {
    const others = asking.get(tenantId)
    if (others !== undefined) return others
    const atMs = now()
    const answer = store
      .find(tenantId)
      .then((names) => {
        known.set(tenantId, { names, atMs })
        return names
      })
      .finally(() => asking.delete(tenantId))
    asking.set(tenantId, answer)
    return answer
  }

  return {
    require: async (tenantId, names, fieldOf) => {
      const cached = known.get(tenantId)
      const ageMs = cached === undefined ? Number.POSITIVE_INFINITY : now() - cached.atMs
      const unknownTo = (declared: readonly string[]) => names.filter((name) => !declared.includes(name))
      let declared = cached?.names ?? []
      if (ageMs >= cacheMs || (ageMs >= UNKNOWN_AGAIN_MS && unknownTo(declared).length > 0))
        declared = await ask(tenantId)
      const unknown = unknownTo(declared)
      if (unknown.length === 0) return
      const message = `is not declared; ${declared.length === 0 ? 'no label is' : `there are ${declared.join(', ')}`}`
      throw LabelsRefused(unknown.slice(0, NAMED_MAX).map((name) => ({ field: fieldOf(name.slice(0, 40)), message })))
    },
    read: (tenantId) => store.find(tenantId),
    declare: async (tenantId, names) => {
      await store.declare(tenantId, names)
      known.delete(tenantId)
    },
  }
}
