/**
 * How many connections of an API instance's pool go to the primary: those for reports go to the replica.
 * `poolSizes` in api/src/postgres/open-postgres.ts shares them out; a test keeps both the same.
 */
export function primaryConnections(poolSize: number): number {
  const ingest = Math.max(1, Math.floor(poolSize * 0.3))
  const upkeep = Math.max(1, Math.floor(poolSize * 0.1))
  const reports = Math.max(2, poolSize - ingest - upkeep)
  return ingest + upkeep + Math.max(1, Math.floor(reports / 3))
}

/** Connections that are left to migrations, monitoring and replication, as a part of all. */
const KEPT = 0.1

/** The largest number of instances whose pools fit. */
export const mostInstances = (maxConnections: number, poolSize: number): number =>
  Math.floor((maxConnections * (1 - KEPT)) / primaryConnections(poolSize))

/** The largest pool that so many instances may have. */
export function largestPool(maxConnections: number, instances: number): number {
  let size = 1
  while (mostInstances(maxConnections, size + 1) >= instances) size++
  return size
}
