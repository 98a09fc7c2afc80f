import { type PostgresServer, postgresArguments, postgresSettings } from '@hopwhistle/platform/settings/postgres.ts'
import type { HopwhistleValues } from '../chart-values/hopwhistle-values.ts'
import * as compute from '../values/compute.ts'
import type { Value } from '../values/value.ts'

/** Arguments for a server that may use so much memory, a quantity of Kubernetes. */
export function postgresOptions({ postgres }: HopwhistleValues, memory: Value<string>): readonly string[] {
  const server: PostgresServer<Value<number>> = {
    memoryBytes: compute.amount(memory),
    maxConnections: postgres.maxConnections,
    maxWalSize: `${postgres.maxWalSize}`,
    maxSlotWalKeepSize: `${postgres.maxSlotWalKeepSize}`,
  }
  return postgresArguments({
    ...postgresSettings(server, compute),
    listen_addresses: '*',
    unix_socket_directories: '/tmp',
    hba_file: '/scripts/pg_hba.conf',
  })
}
