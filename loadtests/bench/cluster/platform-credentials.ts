import type { Cluster } from '@hopwhistle/platform/kubernetes/connect.ts'
import { COMPONENT, INSTANCE, type Platform } from './platform.ts'

export type Credentials = {
  /** Of the role that owns the database and sees all statistics. */
  readonly postgresPassword: string | undefined
  readonly redisPassword: string | undefined
}

const OWNER_KEY = 'owner-password'
const REDIS_KEY = 'redis-password'

/** The passwords that the platform's chart made; undefined each, where its Secret is not there or may not be read. */
export async function platformCredentials({ core }: Cluster, platform: Platform): Promise<Credentials> {
  const { namespace, instance } = platform
  const labels = [`${COMPONENT}=credentials`, ...(instance === undefined ? [] : [`${INSTANCE}=${instance}`])]
  const secrets = await core.listNamespacedSecret({ namespace, labelSelector: labels.join() }).then(
    ({ items }) => items,
    () => [],
  )
  const read = (key: string) => {
    const encoded = secrets.find(({ data }) => data?.[key] !== undefined)?.data?.[key]
    return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString()
  }
  return { postgresPassword: read(OWNER_KEY), redisPassword: read(REDIS_KEY) }
}
