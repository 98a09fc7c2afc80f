import type { HopwhistleValues } from '../chart-values/hopwhistle-values.ts'
import { both } from '../values/compute.ts'
import { when } from '../values/when.ts'
import { given } from './given.ts'

const folder = (server: 'postgres' | 'redis') => `/etc/${server}-ca`

/** Where the API finds who signed the certificates of Redis; a URL of Postgres names its own file. */
export const REDIS_CA_FILE = `${folder('redis')}/ca.crt`

/** Secrets with the certificate authorities of external servers, as files: /etc/postgres-ca/ca.crt, /etc/redis-ca/ca.crt. */
export function authorities({ postgres, redis }: HopwhistleValues) {
  const servers = [
    { name: 'postgres', external: postgres.external },
    { name: 'redis', external: redis.external },
  ] as const
  const each = <T>(part: (server: 'postgres' | 'redis', secretName: typeof postgres.external.caSecret) => T) =>
    servers.map(({ name, external }) =>
      when(both(external.enabled, given(external.caSecret)), part(name, external.caSecret)),
    )
  return {
    volumes: each((server, secretName) => ({ name: `${server}-ca`, secret: { secretName } })),
    mounts: each((server) => ({ name: `${server}-ca`, mountPath: folder(server), readOnly: true })),
  }
}
