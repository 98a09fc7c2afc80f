import { Construct } from 'constructs'
import type { HopwhistleValues } from '../chart-values/hopwhistle-values.ts'
import { choose, difference, greater, larger, product, quotient, sum } from '../values/compute.ts'
import { Refusal } from '../values/refusal.ts'
import type { Value } from '../values/value.ts'

/** Beside the API: a migration and demo data, exporters, what Postgres keeps for its superuser. */
const MIGRATIONS = 2
const MONITORING = 3
const RESERVED = 3

/** Values with which the API's pods could ask for more connections than the primary has are refused. */
export class ConnectionBudget extends Construct {
  constructor(scope: Construct, { api, postgres }: HopwhistleValues, replicated: Value<boolean>) {
    super(scope, 'connection-budget')
    const perPod = primaryConnections(api.settings.postgresPool, replicated)
    const pods = choose(api.autoscaling.enabled, api.autoscaling.max, api.replicas)
    const rolling = sum(pods, api.surge)
    const needed = sum(product(perPod, rolling), MIGRATIONS + MONITORING + RESERVED)
    new Refusal(
      this,
      'refusal',
      greater(needed, postgres.maxConnections),
      `${needed} connections are needed and postgres.maxConnections is ${postgres.maxConnections}: ` +
        `${perPod} of each of ${pods} API pods and ${api.surge} more while a version rolls out, ` +
        `${MIGRATIONS} of migrations, ${MONITORING} of exporters, ${RESERVED} kept for the superuser. ` +
        'Raise postgres.maxConnections, or lower api.settings.postgresPool, api.replicas or api.autoscaling.max.',
    )
  }
}

/** Of an instance's pool, those that go to the primary: the sum of poolSizes() in api/src/postgres/open-postgres.ts. */
export function primaryConnections(pool: Value<number>, replicated: Value<boolean>): Value<number> {
  const ingest = quotient(product(pool, 3), 10)
  const upkeep = larger(quotient(pool, 10), 1)
  const reports = difference(pool, sum(ingest, upkeep))
  return choose(replicated, sum(ingest, upkeep, quotient(reports, 3)), pool)
}
