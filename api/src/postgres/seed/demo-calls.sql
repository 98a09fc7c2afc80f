-- The demo's calls, one row each with all its times: $1 the moment at which they end, $2 how many, $3 a seed, $4 the ids of
-- the tenants, over which they are spread.
-- Everything random is a hash of the call's number and the seed: the same every time, whatever the plan.
create temporary table demo_calls on commit drop as
with
-- Weight of an hour: office hours with a dip at noon, some evening, little at night; a third of that on weekends.
hours as (
  select hour,
    (array[2, 1, 1, 1, 1, 2, 6, 18, 52, 88, 100, 94, 70, 82, 96, 92, 84, 66, 42, 28, 20, 14, 8, 4])[
      extract(hour from hour at time zone 'UTC')::int + 1]
    * case when extract(isodow from hour at time zone 'UTC') >= 6 then 0.33 else 1 end
    * (0.85 + 0.3 * pg_temp.chance(extract(epoch from hour)::bigint / 3600, $3, 0)) as weight
  from generate_series(date_trunc('hour', $1 - interval '30 days'), $1, interval '1 hour') as hour
),
calls_of_hours as (
  select hour, ceil($2 * weight / sum(weight) over ())::int as calls from hours
),
numbered as (
  select row_number() over (order by hour, i) as n, hour
  from calls_of_hours, generate_series(1, calls) as i
),
started as (
  select n, hour + pg_temp.chance(n, $3, 1) * interval '1 hour' as at,
    pg_temp.chance(n, $3, 2) as end_chance,
    pg_temp.chance(n, $3, 3) < 0.68 as inbound,
    -- A carrier had trouble for two hours, twelve days ago.
    date_trunc('day', $1) - interval '12 days' + interval '10 hours' <= hour
      and hour < date_trunc('day', $1) - interval '12 days' + interval '12 hours' as trouble
  from numbered
),
ended as (
  select n, date_trunc('milliseconds', at) as initiated_at, inbound,
    -- 3 COMPLETED, 4 BUSY, 5 NO_ANSWER, 6 FAILED, 7 CANCELED
    case
      when trouble and end_chance < 0.25 then 6
      when end_chance < 0.72 then 3
      when end_chance < 0.85 then 5
      when end_chance < 0.92 then 7
      when end_chance < 0.97 then 4
      else 6
    end as final_state
  from started
),
timed as (
  select n, inbound, initiated_at, final_state,
    -- Milliseconds. Setting up takes a second or so; people answer after about 8 s and talk for about 2 min, some much longer.
    (300 + 2200 * pg_temp.chance(n, $3, 4))::int as setup_ms,
    least(44000, 1200 + 7000 * exp(0.55 * pg_temp.bell(n, $3, 5)))::int as pickup_ms,
    least(7200000, 3000 + 110000 * exp(1.05 * pg_temp.bell(n, $3, 7)))::int as talk_ms,
    (25000 + 10000 * pg_temp.chance(n, $3, 9))::int as patience_ms,
    (2500 + 16000 * pg_temp.chance(n, $3, 10))::int as second_thoughts_ms
  from ended
),
placed as (
  select *,
    case when final_state in (3, 5, 7) or (final_state = 4 and pg_temp.chance(n, $3, 11) < 0.3)
      then initiated_at + setup_ms * interval '1 millisecond' end as ringing_at
  from timed
)
select
  ($4)[(1 + n % cardinality($4))::int] as tenant_id,
  'demo-' || lpad(n::text, 7, '0') as call_id,
  case when inbound then 0 else 1 end::smallint as direction,
  -- Customers: 24,000 of them, some of whom call much more than others. Own lines: 24.
  case when inbound then customer.number else line.number end as from_number,
  case when inbound then line.number else customer.number end as to_number,
  (array['sales', 'support', 'billing', 'support', 'returns'])[1 + floor(5 * pg_temp.chance(n, $3, 14))::int] as queue,
  -- What brought in the call. Those who answer have an agent.
  jsonb_strip_nulls(jsonb_build_object(
    'campaign', case when inbound and pg_temp.chance(n, $3, 15) < 0.7
      then (array['spring-sale', 'brand', 'spring-sale', 'newsletter', 'retargeting', 'brand', 'spring-sale', 'partners'])[
        1 + floor(8 * pg_temp.chance(n, $3, 16))::int] end,
    'source', case when inbound
      then (array['search', 'search', 'direct', 'social', 'referral'])[1 + floor(5 * pg_temp.chance(n, $3, 17))::int] end,
    'agent', case when final_state = 3
      then 'agent-' || lpad((1 + floor(40 * pg_temp.chance(n, $3, 18)))::int::text, 2, '0') end)) as labels,
  initiated_at,
  ringing_at,
  case when final_state = 3 then ringing_at + pickup_ms * interval '1 millisecond' end as answered_at,
  final_state::smallint as final_state,
  case final_state
    when 3 then ringing_at + (pickup_ms + talk_ms) * interval '1 millisecond'
    when 5 then ringing_at + patience_ms * interval '1 millisecond'
    when 7 then ringing_at + second_thoughts_ms * interval '1 millisecond'
    else coalesce(ringing_at, initiated_at) + setup_ms * interval '1 millisecond'
  end as ended_at
from placed,
  lateral (select '+1415' || lpad((5550000 + floor(24000 * power(pg_temp.chance(n, $3, 12), 2.2)))::int::text, 7, '0') as number) customer,
  lateral (select '+1628555' || lpad((100 + floor(24 * pg_temp.chance(n, $3, 13)))::int::text, 4, '0') as number) line
where initiated_at <= $1
