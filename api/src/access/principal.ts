import type { Scope } from '@hopwhistle/contract/routes.ts'

/** Who is asking: a key, the one tenant whose rows, cache entries and channels it sees, and what it may do. */
export type Principal = {
  readonly keyId: string
  readonly tenantId: string
  readonly scopes: ReadonlySet<Scope>
  /** Events a second that its tenant may send; absent: as many as any. */
  readonly tenantRate?: number
  /** Events a second that this key may send; absent: as many as its tenant. */
  readonly keyRate?: number
}
