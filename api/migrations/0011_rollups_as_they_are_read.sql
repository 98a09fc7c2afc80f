set local role hopwhistle_owner;

-- What reports read of a rollup, made once when it is folded and not each time it is read; see
-- docs/decisions/0007-rollups-are-kept-as-they-are-read.md.
--
--   body         the bucket's JSON, without braces: what bucketJson of api/src/reporting/metrics-json.ts makes of it
--   …_histogram  the number of a first bucket in 2 bytes, then the counts of all from there to the last that is not
--                empty, 4 bytes each: as long for a thousand calls as for a million. Null without durations. 4 bytes are
--                enough for a day of 25,000 calls a second that all last equally long.
do $$
declare
  of_rollups text;
begin
  foreach of_rollups in array array['call_metrics_hourly', 'call_metrics_daily'] loop
    execute format($alter$
      alter table hopwhistle.%I
        add column body text generated always as (
          '"calls":' || calls::text || ',"connected":' || connected::text
          || ',"inbound":' || inbound::text || ',"outbound":' || outbound::text
          || ',"states":{"INITIATED":' || initiated::text || ',"RINGING":' || ringing::text
          || ',"ANSWERED":' || answered::text || ',"COMPLETED":' || completed::text || ',"BUSY":' || busy::text
          || ',"NO_ANSWER":' || no_answer::text || ',"FAILED":' || failed::text || ',"CANCELED":' || canceled::text
          || '},"ring":{"count":' || ring_count::text
          || ',"averageMs":' || coalesce((ring_total_ms::float8 / nullif(ring_count, 0))::bigint::text, 'null')
          || ',"p50Ms":' || coalesce(ring_p50_ms::bigint::text, 'null')
          || ',"p95Ms":' || coalesce(ring_p95_ms::bigint::text, 'null')
          || ',"p99Ms":' || coalesce(ring_p99_ms::bigint::text, 'null')
          || '},"talk":{"count":' || talk_count::text
          || ',"averageMs":' || coalesce((talk_total_ms::float8 / nullif(talk_count, 0))::bigint::text, 'null')
          || ',"p50Ms":' || coalesce(talk_p50_ms::bigint::text, 'null')
          || ',"p95Ms":' || coalesce(talk_p95_ms::bigint::text, 'null')
          || ',"p99Ms":' || coalesce(talk_p99_ms::bigint::text, 'null') || '}') stored,
        add column ring_histogram bytea,
        add column talk_histogram bytea,
        -- Every bucket of a range is read by its body: in the row, as it is. Histograms are read of few.
        alter column body set storage plain
    $alter$, of_rollups);
  end loop;
end
$$;

-- Adds signed entries to a histogram, in one pass; buckets that become empty go. The percentiles are the estimates of
-- the smallest bucket below which that share of the values lies; null without values.
create function hopwhistle.fold_histogram(
  inout buckets smallint[], inout counts bigint[], entries smallint[],
  out histogram bytea, out p50 double precision, out p95 double precision, out p99 double precision
)
  language plpgsql immutable parallel safe
  set search_path = pg_catalog
as $$
declare
  first integer;
  last integer;
  -- The counts, from the first bucket to the last.
  dense bigint[];
  entry integer;
  total bigint;
  below bigint := 0;
  below_p50 bigint;
  below_p95 bigint;
  below_p99 bigint;
begin
  select least(min(abs(e)), buckets[1]), greatest(max(abs(e)), buckets[cardinality(buckets)])
  into first, last
  from unnest(entries) as e;
  if first is null then
    buckets := '{}';
    counts := '{}';
    return;
  end if;

  dense := array_fill(0::bigint, array[last - first + 1], array[first]);
  for i in 1..coalesce(cardinality(buckets), 0) loop
    dense[buckets[i]] := counts[i];
  end loop;
  foreach entry in array coalesce(entries, '{}') loop
    dense[abs(entry)] := dense[abs(entry)] + sign(entry)::integer;
  end loop;

  select coalesce(array_agg((first - 1 + place)::smallint) filter (where n <> 0), '{}'),
    coalesce(array_agg(n) filter (where n <> 0), '{}'),
    int2send(first::smallint) || string_agg(int4send(n::integer), ''), sum(n)
  into buckets, counts, histogram, total
  from unnest(dense) with ordinality as d (n, place);

  if total = 0 then return; end if;
  below_p50 := ceil(0.50 * total);
  below_p95 := ceil(0.95 * total);
  below_p99 := ceil(0.99 * total);
  for bucket in first..last loop
    below := below + dense[bucket];
    continue when below < below_p50;
    if p50 is null then p50 := hopwhistle.bucket_estimate_ms(bucket); end if;
    if p95 is null and below >= below_p95 then p95 := hopwhistle.bucket_estimate_ms(bucket); end if;
    if below >= below_p99 then
      p99 := hopwhistle.bucket_estimate_ms(bucket);
      return;
    end if;
  end loop;
end
$$;

-- As before, and with what is kept for reports.
create or replace function hopwhistle.fold_call_metrics() returns bigint
  language plpgsql security definer
  set search_path = pg_catalog
  set enable_seqscan = off
  set enable_hashjoin = off
  set enable_mergejoin = off
  set jit = off
as $$
declare
  folded bigint;
begin
  if not pg_try_advisory_xact_lock(hashtextextended('hopwhistle.fold_call_metrics', 0)) then
    return 0;
  end if;
  if not exists (select from hopwhistle.call_metrics_pending) then
    return 0;
  end if;

  with gone as (
    delete from hopwhistle.call_metrics_pending returning *
  ),
  by_hour as materialized (
    select tenant_id, hour,
      sum(calls) as calls, sum(initiated) as initiated, sum(ringing) as ringing, sum(answered) as answered,
      sum(completed) as completed, sum(busy) as busy, sum(no_answer) as no_answer, sum(failed) as failed,
      sum(canceled) as canceled, sum(inbound) as inbound, sum(outbound) as outbound, sum(connected) as connected,
      sum(ring_count) as ring_count, sum(talk_count) as talk_count,
      sum(ring_total_ms) as ring_total_ms, sum(talk_total_ms) as talk_total_ms
    from gone
    group by tenant_id, hour
  ),
  ring as materialized (
    select tenant_id, hour, array_agg(e) as entries from gone, unnest(ring_entries) as e group by tenant_id, hour
  ),
  talk as materialized (
    select tenant_id, hour, array_agg(e) as entries from gone, unnest(talk_entries) as e group by tenant_id, hour
  ),
  hours as materialized (
    select h.*, r.entries as ring_entries, t.entries as talk_entries
    from by_hour h left join ring r using (tenant_id, hour) left join talk t using (tenant_id, hour)
  ),
  into_hours as (
    insert into hopwhistle.call_metrics_hourly as m (
      tenant_id, hour, calls, initiated, ringing, answered, completed, busy, no_answer, failed, canceled,
      inbound, outbound, connected, ring_count, talk_count, ring_total_ms, talk_total_ms,
      ring_buckets, ring_counts, ring_histogram, talk_buckets, talk_counts, talk_histogram,
      ring_p50_ms, ring_p95_ms, ring_p99_ms, talk_p50_ms, talk_p95_ms, talk_p99_ms)
    select h.tenant_id, h.hour, h.calls, h.initiated, h.ringing, h.answered, h.completed, h.busy, h.no_answer,
      h.failed, h.canceled, h.inbound, h.outbound, h.connected, h.ring_count, h.talk_count, h.ring_total_ms,
      h.talk_total_ms, ring.buckets, ring.counts, ring.histogram, talk.buckets, talk.counts, talk.histogram,
      ring.p50, ring.p95, ring.p99, talk.p50, talk.p95, talk.p99
    from hours h
    left join hopwhistle.call_metrics_hourly old on old.tenant_id = h.tenant_id and old.hour = h.hour
    cross join lateral hopwhistle.fold_histogram(old.ring_buckets, old.ring_counts, h.ring_entries) as ring
    cross join lateral hopwhistle.fold_histogram(old.talk_buckets, old.talk_counts, h.talk_entries) as talk
    on conflict (tenant_id, hour) do update set
      calls = m.calls + excluded.calls,
      initiated = m.initiated + excluded.initiated,
      ringing = m.ringing + excluded.ringing,
      answered = m.answered + excluded.answered,
      completed = m.completed + excluded.completed,
      busy = m.busy + excluded.busy,
      no_answer = m.no_answer + excluded.no_answer,
      failed = m.failed + excluded.failed,
      canceled = m.canceled + excluded.canceled,
      inbound = m.inbound + excluded.inbound,
      outbound = m.outbound + excluded.outbound,
      connected = m.connected + excluded.connected,
      ring_count = m.ring_count + excluded.ring_count,
      talk_count = m.talk_count + excluded.talk_count,
      ring_total_ms = m.ring_total_ms + excluded.ring_total_ms,
      talk_total_ms = m.talk_total_ms + excluded.talk_total_ms,
      ring_buckets = excluded.ring_buckets,
      ring_counts = excluded.ring_counts,
      ring_histogram = excluded.ring_histogram,
      talk_buckets = excluded.talk_buckets,
      talk_counts = excluded.talk_counts,
      talk_histogram = excluded.talk_histogram,
      ring_p50_ms = excluded.ring_p50_ms,
      ring_p95_ms = excluded.ring_p95_ms,
      ring_p99_ms = excluded.ring_p99_ms,
      talk_p50_ms = excluded.talk_p50_ms,
      talk_p95_ms = excluded.talk_p95_ms,
      talk_p99_ms = excluded.talk_p99_ms
  ),
  by_day as materialized (
    select tenant_id, date_trunc('day', hour, 'UTC') as day,
      sum(calls) as calls, sum(initiated) as initiated, sum(ringing) as ringing, sum(answered) as answered,
      sum(completed) as completed, sum(busy) as busy, sum(no_answer) as no_answer, sum(failed) as failed,
      sum(canceled) as canceled, sum(inbound) as inbound, sum(outbound) as outbound, sum(connected) as connected,
      sum(ring_count) as ring_count, sum(talk_count) as talk_count,
      sum(ring_total_ms) as ring_total_ms, sum(talk_total_ms) as talk_total_ms
    from by_hour
    group by 1, 2
  ),
  day_ring as materialized (
    select tenant_id, date_trunc('day', hour, 'UTC') as day, array_agg(e) as entries
    from ring, unnest(entries) as e group by 1, 2
  ),
  day_talk as materialized (
    select tenant_id, date_trunc('day', hour, 'UTC') as day, array_agg(e) as entries
    from talk, unnest(entries) as e group by 1, 2
  ),
  days as materialized (
    select d.*, r.entries as ring_entries, t.entries as talk_entries
    from by_day d left join day_ring r using (tenant_id, day) left join day_talk t using (tenant_id, day)
  ),
  into_days as (
    insert into hopwhistle.call_metrics_daily as m (
      tenant_id, day, calls, initiated, ringing, answered, completed, busy, no_answer, failed, canceled,
      inbound, outbound, connected, ring_count, talk_count, ring_total_ms, talk_total_ms,
      ring_buckets, ring_counts, ring_histogram, talk_buckets, talk_counts, talk_histogram,
      ring_p50_ms, ring_p95_ms, ring_p99_ms, talk_p50_ms, talk_p95_ms, talk_p99_ms)
    select d.tenant_id, d.day, d.calls, d.initiated, d.ringing, d.answered, d.completed, d.busy, d.no_answer,
      d.failed, d.canceled, d.inbound, d.outbound, d.connected, d.ring_count, d.talk_count, d.ring_total_ms,
      d.talk_total_ms, ring.buckets, ring.counts, ring.histogram, talk.buckets, talk.counts, talk.histogram,
      ring.p50, ring.p95, ring.p99, talk.p50, talk.p95, talk.p99
    from days d
    left join hopwhistle.call_metrics_daily old on old.tenant_id = d.tenant_id and old.day = d.day
    cross join lateral hopwhistle.fold_histogram(old.ring_buckets, old.ring_counts, d.ring_entries) as ring
    cross join lateral hopwhistle.fold_histogram(old.talk_buckets, old.talk_counts, d.talk_entries) as talk
    on conflict (tenant_id, day) do update set
      calls = m.calls + excluded.calls,
      initiated = m.initiated + excluded.initiated,
      ringing = m.ringing + excluded.ringing,
      answered = m.answered + excluded.answered,
      completed = m.completed + excluded.completed,
      busy = m.busy + excluded.busy,
      no_answer = m.no_answer + excluded.no_answer,
      failed = m.failed + excluded.failed,
      canceled = m.canceled + excluded.canceled,
      inbound = m.inbound + excluded.inbound,
      outbound = m.outbound + excluded.outbound,
      connected = m.connected + excluded.connected,
      ring_count = m.ring_count + excluded.ring_count,
      talk_count = m.talk_count + excluded.talk_count,
      ring_total_ms = m.ring_total_ms + excluded.ring_total_ms,
      talk_total_ms = m.talk_total_ms + excluded.talk_total_ms,
      ring_buckets = excluded.ring_buckets,
      ring_counts = excluded.ring_counts,
      ring_histogram = excluded.ring_histogram,
      talk_buckets = excluded.talk_buckets,
      talk_counts = excluded.talk_counts,
      talk_histogram = excluded.talk_histogram,
      ring_p50_ms = excluded.ring_p50_ms,
      ring_p95_ms = excluded.ring_p95_ms,
      ring_p99_ms = excluded.ring_p99_ms,
      talk_p50_ms = excluded.talk_p50_ms,
      talk_p95_ms = excluded.talk_p95_ms,
      talk_p99_ms = excluded.talk_p99_ms
  )
  select count(*) into folded from gone;
  return folded;
end
$$;

-- What was folded before.
update hopwhistle.call_metrics_hourly m
set ring_histogram = ring.histogram, talk_histogram = talk.histogram
from hopwhistle.call_metrics_hourly old
cross join lateral hopwhistle.fold_histogram(old.ring_buckets, old.ring_counts, null) as ring
cross join lateral hopwhistle.fold_histogram(old.talk_buckets, old.talk_counts, null) as talk
where m.tenant_id = old.tenant_id and m.hour = old.hour;

update hopwhistle.call_metrics_daily m
set ring_histogram = ring.histogram, talk_histogram = talk.histogram
from hopwhistle.call_metrics_daily old
cross join lateral hopwhistle.fold_histogram(old.ring_buckets, old.ring_counts, null) as ring
cross join lateral hopwhistle.fold_histogram(old.talk_buckets, old.talk_counts, null) as talk
where m.tenant_id = old.tenant_id and m.day = old.day;

drop function hopwhistle.histogram_add, hopwhistle.histogram_percentile;
