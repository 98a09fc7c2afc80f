set local role hopwhistle_owner;

-- Rollups of calls by the hour and the day (UTC) of started_at.
--
-- A batch of events appends what it changed to call_metrics_pending and touches no row that another batch
-- wants; hopwhistle.fold_call_metrics() moves that into the hourly and daily rows about once a second, in one
-- transaction. So a report that reads folded and pending rows in ONE statement is exact at any moment.
--
-- Durations are kept as log buckets, numbered from 1: bucket b holds (γ^(b-2), γ^(b-1)] ms with
-- γ = 1.01/0.99, bucket 1 everything up to 1 ms. Counts of buckets add up; percentiles do not.
--   ring  first of initiated and ringing → answered
--   talk  answered → ended
-- A duration that clocks make negative counts as 0.

create table hopwhistle.call_metrics_pending (
  tenant_id uuid not null,
  hour timestamptz not null,
  calls integer not null,
  initiated integer not null,
  ringing integer not null,
  answered integer not null,
  completed integer not null,
  busy integer not null,
  no_answer integer not null,
  failed integer not null,
  canceled integer not null,
  inbound integer not null,
  outbound integer not null,
  connected integer not null,
  ring_count integer not null,
  talk_count integer not null,
  ring_total_ms bigint not null,
  talk_total_ms bigint not null,
  ring_entries smallint[],
  talk_entries smallint[]
) with (
  autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_analyze_threshold = 100000
);
comment on column hopwhistle.call_metrics_pending.ring_entries is '+b: one more in bucket b; -b: one less';
comment on column hopwhistle.call_metrics_pending.connected is 'calls that were ever answered';
create index call_metrics_pending_hour on hopwhistle.call_metrics_pending (tenant_id, hour);

create table hopwhistle.call_metrics_hourly (
  tenant_id uuid not null,
  hour timestamptz not null,
  calls bigint not null,
  initiated bigint not null,
  ringing bigint not null,
  answered bigint not null,
  completed bigint not null,
  busy bigint not null,
  no_answer bigint not null,
  failed bigint not null,
  canceled bigint not null,
  inbound bigint not null,
  outbound bigint not null,
  connected bigint not null,
  ring_count bigint not null,
  talk_count bigint not null,
  ring_total_ms bigint not null,
  talk_total_ms bigint not null,
  ring_p50_ms double precision,
  ring_p95_ms double precision,
  ring_p99_ms double precision,
  talk_p50_ms double precision,
  talk_p95_ms double precision,
  talk_p99_ms double precision,
  ring_buckets smallint[] not null,
  ring_counts bigint[] not null,
  talk_buckets smallint[] not null,
  talk_counts bigint[] not null,
  primary key (tenant_id, hour)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
comment on column hopwhistle.call_metrics_hourly.ring_buckets is 'buckets that are not empty, ascending; ring_counts has their counts';
comment on column hopwhistle.call_metrics_hourly.connected is 'calls that were ever answered';

create table hopwhistle.call_metrics_daily (
  like hopwhistle.call_metrics_hourly including comments,
  primary key (tenant_id, hour)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
alter table hopwhistle.call_metrics_daily rename column hour to day;

-- The bucket that a duration falls in. Like the others not "strict", so that Postgres inlines it.
create function hopwhistle.duration_bucket(ms bigint) returns smallint
  language sql immutable parallel safe
return case when ms <= 1 then 1 else 1 + ceil(ln(ms::double precision) / ln(1.01::double precision / 0.99::double precision)) end::smallint;

-- The duration that stands for a bucket: within 1 % of everything in it.
create function hopwhistle.bucket_estimate_ms(bucket integer) returns double precision
  language sql immutable strict parallel safe
return 2 * power(1.01::double precision / 0.99::double precision, bucket - 1) / (1.01::double precision / 0.99::double precision + 1);

-- Milliseconds from one time to a later one; 0 when it is earlier; null when one is missing.
create function hopwhistle.elapsed_ms(since timestamptz, until timestamptz) returns bigint
  language sql immutable parallel safe
return case when until < since then 0 else round(date_part('epoch', until - since) * 1000) end::bigint;

-- The smallest bucket's estimate below which the share q of the values lies; null without values.
-- `buckets` ascending, `counts` theirs.
create function hopwhistle.histogram_percentile(buckets smallint[], counts bigint[], q double precision)
  returns double precision
  language sql immutable strict parallel safe
as $$
  select hopwhistle.bucket_estimate_ms(bucket)
  from (
    select bucket, sum(n) over (order by bucket) as below, sum(n) over () as total
    from unnest(buckets, counts) as h (bucket, n)
  ) cumulated
  where below >= greatest(1, ceil(q * total))
  order by bucket
  limit 1
$$;

-- Adds signed entries to a histogram; buckets that become empty go.
create function hopwhistle.histogram_add(
  inout buckets smallint[], inout counts bigint[], entries smallint[]
)
  language sql immutable parallel safe
as $$
  select coalesce(array_agg(bucket order by bucket), '{}'), coalesce(array_agg(n order by bucket), '{}')
  from (
    select bucket, sum(n)::bigint as n
    from (
      select bucket, n from unnest(buckets, counts) as h (bucket, n)
      union all
      select abs(e)::smallint, sign(e)::bigint from unnest(entries) as e
    ) all_entries
    group by bucket
    having sum(n) <> 0
  ) merged
$$;

do $$
declare
  of_tenant text;
begin
  foreach of_tenant in array array[
    'call_events', 'calls', 'outbox', 'call_metrics_pending', 'call_metrics_hourly', 'call_metrics_daily'
  ] loop
    execute format('alter table hopwhistle.%I enable row level security, force row level security', of_tenant);
    execute format('create policy owner_sees_all on hopwhistle.%I to hopwhistle_owner using (true) with check (true)', of_tenant);
    execute format(
      'create policy api_sees_its_tenants on hopwhistle.%I to hopwhistle_api
         using (tenant_id = any ((select nullif(current_setting(''hopwhistle.tenant_ids'', true), '''')::uuid[])::uuid[]))',
      of_tenant);
  end loop;
end
$$;

grant select, insert, update on hopwhistle.call_events, hopwhistle.calls to hopwhistle_api;
grant select, insert on hopwhistle.outbox to hopwhistle_api;
grant select, insert on hopwhistle.call_metrics_pending to hopwhistle_api;
grant select on hopwhistle.call_metrics_hourly, hopwhistle.call_metrics_daily to hopwhistle_api;
