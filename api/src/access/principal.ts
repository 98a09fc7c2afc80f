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
  /** In which its reports are when a request says nothing, an IANA name; absent: UTC. */
  readonly timeZone?: string
  /** When what it came with ends, Unix ms; absent for a key, which is asked about again. */
  readonly endsAtMs?: number
}
