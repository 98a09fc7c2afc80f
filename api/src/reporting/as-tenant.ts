/**
 * Wraps a statement so that row-level security lets it see one tenant's rows, for itself alone and in one round trip.
 *
 * $1 is the tenant as an array literal, and `body` may use `tenant.ids`: it must at least once. That makes Postgres
 * join the two by nested loop with `tenant` outside, so hopwhistle.tenant_ids is set before any row of `body` is
 * read; the policies' own look at it is a sub-select that runs when it is first needed. The setting is local to the
 * transaction, which is this statement. Were the order ever another, there would be no rows: never another tenant's.
 *
 * @param names of the columns of `body`, where they have none
 *
 * Against begin + set_config + select + commit, this saves three round trips and their share of CPU.
 */
export function asTenant(columns: string, body: string, names = ''): string {
  return `select ${columns}
from (select set_config('hopwhistle.tenant_ids', $1, true)) as tenant (ids)
cross join lateral (${body}) as report ${names === '' ? '' : `(${names})`}`
}

/**
 * Everything that the statement can see lies before this position. Also on the primary: with synchronous commit,
 * what can be seen has been flushed.
 */
export const SHOWN_UP_TO = `case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_flush_lsn() end`
