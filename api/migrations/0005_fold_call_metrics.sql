set local role hopwhistle_owner;

-- Moves what is pending into the hourly and daily rows, and tells how many pending rows that were.
--
-- One transaction at a time does it: who finds another at it leaves it to that one and returns 0. Pending rows
-- go and folded rows come in the same transaction, so no statement ever sees a change twice or not at all.
create function hopwhistle.fold_call_metrics() returns bigint
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
      ring_buckets, ring_counts, talk_buckets, talk_counts,
      ring_p50_ms, ring_p95_ms, ring_p99_ms, talk_p50_ms, talk_p95_ms, talk_p99_ms)
    select h.tenant_id, h.hour, h.calls, h.initiated, h.ringing, h.answered, h.completed, h.busy, h.no_answer,
      h.failed, h.canceled, h.inbound, h.outbound, h.connected, h.ring_count, h.talk_count, h.ring_total_ms,
      h.talk_total_ms, ring.buckets, ring.counts, talk.buckets, talk.counts,
      hopwhistle.histogram_percentile(ring.buckets, ring.counts, 0.50),
      hopwhistle.histogram_percentile(ring.buckets, ring.counts, 0.95),
      hopwhistle.histogram_percentile(ring.buckets, ring.counts, 0.99),
      hopwhistle.histogram_percentile(talk.buckets, talk.counts, 0.50),
      hopwhistle.histogram_percentile(talk.buckets, talk.counts, 0.95),
      hopwhistle.histogram_percentile(talk.buckets, talk.counts, 0.99)
    from hours h
    left join hopwhistle.call_metrics_hourly old on old.tenant_id = h.tenant_id and old.hour = h.hour
    cross join lateral hopwhistle.histogram_add(old.ring_buckets, old.ring_counts, h.ring_entries) as ring
    cross join lateral hopwhistle.histogram_add(old.talk_buckets, old.talk_counts, h.talk_entries) as talk
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
      talk_buckets = excluded.talk_buckets,
      talk_counts = excluded.talk_counts,
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
      ring_buckets, ring_counts, talk_buckets, talk_counts,
      ring_p50_ms, ring_p95_ms, ring_p99_ms, talk_p50_ms, talk_p95_ms, talk_p99_ms)
    select d.tenant_id, d.day, d.calls, d.initiated, d.ringing, d.answered, d.completed, d.busy, d.no_answer,
      d.failed, d.canceled, d.inbound, d.outbound, d.connected, d.ring_count, d.talk_count, d.ring_total_ms,
      d.talk_total_ms, ring.buckets, ring.counts, talk.buckets, talk.counts,
      hopwhistle.histogram_percentile(ring.buckets, ring.counts, 0.50),
      hopwhistle.histogram_percentile(ring.buckets, ring.counts, 0.95),
      hopwhistle.histogram_percentile(ring.buckets, ring.counts, 0.99),
      hopwhistle.histogram_percentile(talk.buckets, talk.counts, 0.50),
      hopwhistle.histogram_percentile(talk.buckets, talk.counts, 0.95),
      hopwhistle.histogram_percentile(talk.buckets, talk.counts, 0.99)
    from days d
    left join hopwhistle.call_metrics_daily old on old.tenant_id = d.tenant_id and old.day = d.day
    cross join lateral hopwhistle.histogram_add(old.ring_buckets, old.ring_counts, d.ring_entries) as ring
    cross join lateral hopwhistle.histogram_add(old.talk_buckets, old.talk_counts, d.talk_entries) as talk
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
      talk_buckets = excluded.talk_buckets,
      talk_counts = excluded.talk_counts,
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

revoke all on function hopwhistle.fold_call_metrics() from public;
grant execute on function hopwhistle.fold_call_metrics() to hopwhistle_api;
