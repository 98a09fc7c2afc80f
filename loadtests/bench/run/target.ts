import { DEMO_API_KEY, DEMO_TENANT_ID } from '@hopwhistle/contract/demo.ts'
import type { StackDetails, StackRecord } from '@hopwhistle/platform/stack/stack-record.ts'
import type { SamplerTargets } from '../sample/sampler.ts'

/** What is put under load, and what of it can be looked at meanwhile. */
export type Target = {
  readonly apiUrl: string
  readonly apiKey: string
  readonly tenantId: string
  /** How many tenants share the load. */
  readonly tenants: number
  readonly sampled: SamplerTargets
  readonly versions: { readonly postgres?: string; readonly redis?: string }
  readonly apiInstances: number
  /** As in `StackDetails`; empty where it is not known. */
  readonly apiSettings: Readonly<Record<string, string>>
  readonly replicas: number
  /** Whether k6 shares its machine. */
  readonly onThisMachine: boolean
}

/** The key and the tenant of the run, those of the demo data when absent; and over how many tenants it spreads. */
export type Access = {
  readonly apiKey?: string | undefined
  readonly tenantId?: string | undefined
  readonly tenants?: number
}

/** A stack that was started on this machine: all of it is sampled. */
export function stackTarget(processes: StackRecord['processes'], details: StackDetails, access: Access = {}): Target {
  const kindOf = (name: string) => (name.startsWith('api-') ? 'api' : name === 'redis' ? 'redis' : 'postgres')
  const measured = processes.filter(({ name }) => kindOf(name) !== 'postgres' || name.startsWith('postgres '))
  return {
    apiUrl: details.apiUrl,
    ...accessOf(access),
    sampled: {
      api: details.api,
      postgres: { primaryUrl: details.urls.owner, replicaUrl: details.urls.ownerReplica },
      redisUrl: details.urls.redis,
      // What looks at the platform is no part of it.
      processes: measured.map(({ name, pid }) => ({ name, kind: kindOf(name), pid, withDescendants: true })),
    },
    versions: { postgres: details.postgresVersion, redis: details.redisVersion },
    apiInstances: details.api.length,
    apiSettings: details.apiSettings,
    replicas: 1,
    onThisMachine: true,
  }
}

/** An API somewhere: only what runs here, k6 itself, can be looked at. */
export function remoteTarget(apiUrl: string, access: Access): Target {
  return {
    apiUrl,
    ...accessOf(access),
    sampled: { api: [], processes: [] },
    versions: {},
    apiInstances: 0,
    apiSettings: {},
    replicas: 0,
    onThisMachine: false,
  }
}

const accessOf = ({ apiKey = DEMO_API_KEY, tenantId = DEMO_TENANT_ID, tenants = 1 }: Access) => ({
  apiKey,
  tenantId,
  tenants,
})
