/** Calls as they are a while after they ended, a second apart and newest first by number, in no rollup. About 100,000 a second. */
export async function seedCalls(
  query: (text: string, values: unknown[]) => Promise<unknown>,
  tenantId: string,
  count: number,
): Promise<void> {
  await query(
    `insert into hopwhistle.calls (
       tenant_id, call_id, state, direction, from_number, to_number, started_at, initiated_at, ringing_at, answered_at, ended_at, updated_at)
     select $1, 'call-' || lpad(i::text, 8, '0') || '-of-a-provider', 3, i % 2, '+1415' || lpad((i % 9000)::text, 7, '0'), '+16285550100',
       at, at, at + interval '1 second', at + interval '9 seconds', at + interval '2 minutes', at + interval '2 minutes'
     from generate_series(1, $2::int) as i, lateral (select date_trunc('hour', now()) - i * interval '1 second' as at) as started`,
    [tenantId, count],
  )
  await query('analyze hopwhistle.calls', [])
}
