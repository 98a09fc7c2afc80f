/** Additional settings of the local Postgres pair: it serves only this machine. */
import { totalmem } from 'node:os'
import { NUMBERS } from '../settings/arithmetic.ts'
import { postgresMemoryOn, postgresSettings, type Settings } from '../settings/postgres.ts'

export const REPLICATION_SLOT = 'hopwhistle_replica'
export const REPLICATION_ROLE = 'hopwhistle_replication'

/** @returns settings for postgresql.conf of the primary and, without the port, of the replica */
export function localPostgresSettings(memoryBytes = postgresMemoryOn(memoryOfMachine())): Settings {
  return {
    ...postgresSettings({ memoryBytes }, NUMBERS),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
  }
}

/** In a container it is the container's. */
function memoryOfMachine(): number {
  const limit = process.constrainedMemory()
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem()
}

/** Allows only TCP from this machine with a password. */
export const HBA = `\
host all all 127.0.0.1/32 scram-sha-256
host replication ${REPLICATION_ROLE} 127.0.0.1/32 scram-sha-256
`
