-- Metrics by the quarter of an hour, from which the buckets of any time zone are put together: see
-- docs/decisions/0016-rollups-by-the-quarter-of-an-hour.md.

-- step
set local role hopwhistle_owner;

comment on column hopwhistle.call_metrics_pending.hour is
  'the quarter of an hour in which the calls started; from before quarters were kept, the hour';

-- Counts are those of call_metrics_hourly. `counts` is what a report reads of them: all, in their order, with commas.
--
-- A histogram is a text. The code of its first character less 32 is the number of the first bucket; then one character for
-- each bucket, whose code says the count: see quarter_count_code. So a quarter has as many characters for ten calls as for
-- ten thousand, and its row has no need of TOAST. Null without durations.
create table if not exists hopwhistle.call_metrics_quarterly (
  tenant_id uuid not null,
  quarter timestamptz not null,
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
  ring_histogram text collate "C",
  talk_histogram text collate "C",
  counts text collate "C" generated always as (
    calls::text || ',' || initiated::text || ',' || ringing::text || ',' || answered::text
    || ',' || completed::text || ',' || busy::text || ',' || no_answer::text || ',' || failed::text
    || ',' || canceled::text || ',' || inbound::text || ',' || outbound::text || ',' || connected::text
    || ',' || ring_count::text || ',' || talk_count::text || ',' || ring_total_ms::text || ',' || talk_total_ms::text) stored,
  primary key (tenant_id, quarter)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

-- Of a tenant that had calls before quarters were kept: since when they are. Those before are made from the calls, one hour
-- at a time and the newest first, by split_hour. A tenant without a row has them all.
create table if not exists hopwhistle.quarters_since (
  tenant_id uuid primary key references hopwhistle.tenants (id) on delete cascade,
  since timestamptz not null,
  written_since timestamptz not null default now(),
  complete boolean not null default false
);
comment on column hopwhistle.quarters_since.since is
  'quarters of earlier hours are not known: a report counts such an hour where it starts';
comment on column hopwhistle.quarters_since.written_since is 'since then, what is pending is by the quarter';
comment on column hopwhistle.quarters_since.complete is 'true: there is nothing earlier from which quarters could be made';
create index if not exists quarters_since_incomplete on hopwhistle.quarters_since (since desc) where not complete;

do $$
declare
  of_tenant text;
begin
  foreach of_tenant in array array['call_metrics_quarterly', 'quarters_since'] loop
    execute format('alter table hopwhistle.%I enable row level security, force row level security', of_tenant);
    execute format('drop policy if exists owner_sees_all on hopwhistle.%I', of_tenant);
    execute format('drop policy if exists api_sees_its_tenants on hopwhistle.%I', of_tenant);
    execute format('create policy owner_sees_all on hopwhistle.%I to hopwhistle_owner using (true) with check (true)', of_tenant);
    execute format(
      'create policy api_sees_its_tenants on hopwhistle.%I for select to hopwhistle_api
         using (tenant_id = any ((select nullif(current_setting(''hopwhistle.tenant_ids'', true), '''')::uuid[])::uuid[]))',
      of_tenant);
  end loop;
end
$$;
grant select on hopwhistle.call_metrics_quarterly, hopwhistle.quarters_since to hopwhistle_api;

-- The code of the character that stands for a count: 32 more than the count, past the surrogates. A count below zero is
-- there between two steps of folding; it is counted down from the last code. No code is that of a tab or the end of a line.
create or replace function hopwhistle.quarter_count_code(count bigint) returns integer
  language sql immutable parallel safe
return case
  when count < 0 then 1114111 + greatest(count, -100000)
  when count < 55264 then 32 + count
  else 2080 + least(count, 1000000)
end::integer;

-- Adds signed entries to the histogram of a quarter, in one pass.
create or replace function hopwhistle.fold_quarter_histogram(histogram text, entries smallint[]) returns text
  language plpgsql immutable parallel safe
  set search_path = pg_catalog
as $$
declare
  stored text[];
  stored_first integer;
  first integer;
  last integer;
  code integer;
  -- The counts, from the first bucket to the last.
  dense bigint[];
  entry integer;
begin
  if entries is null then
    return histogram;
  end if;
  stored := string_to_array(histogram, null);
  stored_first := ascii(stored[1]) - 32;
  select least(min(abs(e)), stored_first), greatest(max(abs(e)), stored_first + cardinality(stored) - 2)
  into first, last
  from unnest(entries) as e;
  dense := array_fill(0::bigint, array[last - first + 1], array[first]);
  for i in 2..coalesce(cardinality(stored), 0) loop
    code := ascii(stored[i]);
    dense[stored_first + i - 2] := case
      when code < 55296 then code - 32
      when code < 1010000 then code - 2080
      else code - 1114111
    end;
  end loop;
  foreach entry in array entries loop
    dense[abs(entry)] := dense[abs(entry)] + sign(entry)::integer;
  end loop;
  return chr(32 + first) || (
    select string_agg(chr(hopwhistle.quarter_count_code(n)), '' order by place)
    from unnest(dense) with ordinality as d (n, place));
end
$$;

-- step
set local role hopwhistle_owner;

-- Two hours later than now, so that no call that was counted by the hour is among those that are said to be by the quarter.
insert into hopwhistle.quarters_since (tenant_id, since)
select t.id, date_trunc('hour', now(), 'UTC') + interval '2 hours' from hopwhistle.tenants t
on conflict do nothing;

-- As in 0016, and by the quarter; and what changed goes to call_changes. Moves pending rows into the rollups: of each of the tenants, from its hour on, `each_at_most`, and of all
-- together `at_most`. Tells how many it took of each tenant that had any, and the hour of the last. One row without a
-- tenant says that another session is folding at this moment.
--
-- Pending rows go and folded rows come in the same transaction, so no statement ever sees a change twice or not at all.
-- Its commit waits for the primary's WAL: a change that somebody has seen must not come again under another number.
--
-- Its cost is linear in what it takes: entries of an hour are joined as text, in the same aggregate as its sums. Plans:
-- call_metrics_pending_hour, one range for each tenant; rows by their place; the primary keys of the rollups.
create or replace function hopwhistle.fold_call_metrics(
  tenants uuid[], from_hours timestamptz[], each_at_most integer, at_most integer
)
  returns table (tenant_id uuid, folded integer, last_hour timestamptz)
  language plpgsql security definer
  set search_path = pg_catalog
  set plan_cache_mode = force_generic_plan
  set enable_seqscan = off
  set enable_bitmapscan = off
  set enable_hashjoin = off
  set enable_mergejoin = off
  set jit = off
as $$
#variable_conflict use_column
declare
  places tid[];
begin
  if not pg_try_advisory_xact_lock(hashtextextended('hopwhistle.fold_call_metrics', 0)) then
    return query select null::uuid, 0, null::timestamptz;
    return;
  end if;
  perform set_config('synchronous_commit', 'local', true);

  places := array(
    select p.place
    from unnest(tenants, from_hours) with ordinality as turn (tenant_id, from_hour, n)
    cross join lateral (
      select m.ctid as place
      from hopwhistle.call_metrics_pending m
      where m.tenant_id = turn.tenant_id and m.hour >= turn.from_hour
      order by m.hour
      limit each_at_most
    ) p
    limit at_most);

  return query
  with gone as (
    delete from hopwhistle.call_metrics_pending where ctid = any (places) returning *
  ),
  -- Of a call that changed more than once, the last change.
  changed as (
    select tenant_id, call_id, max(sequence) as sequence
    from gone cross join lateral unnest(changed_calls, changed_sequences) as c (call_id, sequence)
    group by tenant_id, call_id
  ),
  logged as (
    insert into hopwhistle.call_changes (tenant_id, call_ids, sequences)
    select tenant_id, array_agg(call_id), array_agg(sequence)
    from (select c.*, (row_number() over (partition by tenant_id) - 1) / 100 as part from changed c) p
    group by tenant_id, part
  ),
  by_quarter as materialized (
    select tenant_id, hour as quarter, count(*)::integer as taken,
      sum(calls) as calls, sum(initiated) as initiated, sum(ringing) as ringing, sum(answered) as answered,
      sum(completed) as completed, sum(busy) as busy, sum(no_answer) as no_answer, sum(failed) as failed,
      sum(canceled) as canceled, sum(inbound) as inbound, sum(outbound) as outbound, sum(connected) as connected,
      sum(ring_count) as ring_count, sum(talk_count) as talk_count, sum(ring_total_ms) as ring_total_ms,
      sum(talk_total_ms) as talk_total_ms,
      string_agg(nullif(array_to_string(ring_entries, ','), ''), ',') as ring_entries,
      string_agg(nullif(array_to_string(talk_entries, ','), ''), ',') as talk_entries
    from gone
    group by tenant_id, hour
  ),
  by_hour as materialized (
    select tenant_id, date_trunc('hour', quarter, 'UTC') as hour,
      sum(calls) as calls, sum(initiated) as initiated, sum(ringing) as ringing, sum(answered) as answered,
      sum(completed) as completed, sum(busy) as busy, sum(no_answer) as no_answer, sum(failed) as failed,
      sum(canceled) as canceled, sum(inbound) as inbound, sum(outbound) as outbound, sum(connected) as connected,
      sum(ring_count) as ring_count, sum(talk_count) as talk_count, sum(ring_total_ms) as ring_total_ms,
      sum(talk_total_ms) as talk_total_ms,
      string_agg(ring_entries, ',') as ring_entries,
      string_agg(talk_entries, ',') as talk_entries
    from by_quarter
    group by 1, 2
  ),
  by_day as materialized (
    select tenant_id, date_trunc('day', hour, 'UTC') as day,
      sum(calls) as calls, sum(initiated) as initiated, sum(ringing) as ringing, sum(answered) as answered,
      sum(completed) as completed, sum(busy) as busy, sum(no_answer) as no_answer, sum(failed) as failed,
      sum(canceled) as canceled, sum(inbound) as inbound, sum(outbound) as outbound, sum(connected) as connected,
      sum(ring_count) as ring_count, sum(talk_count) as talk_count, sum(ring_total_ms) as ring_total_ms,
      sum(talk_total_ms) as talk_total_ms,
      string_agg(ring_entries, ',') as ring_entries,
      string_agg(talk_entries, ',') as talk_entries
    from by_hour
    group by 1, 2
  ),
  into_quarters as (
    insert into hopwhistle.call_metrics_quarterly as m (
      tenant_id, quarter, calls, initiated, ringing, answered, completed, busy, no_answer, failed, canceled, inbound,
      outbound, connected, ring_count, talk_count, ring_total_ms, talk_total_ms, ring_histogram, talk_histogram)
    select q.tenant_id, q.quarter, q.calls, q.initiated, q.ringing, q.answered, q.completed, q.busy, q.no_answer, q.failed,
      q.canceled, q.inbound, q.outbound, q.connected, q.ring_count, q.talk_count, q.ring_total_ms, q.talk_total_ms,
      hopwhistle.fold_quarter_histogram(old.ring_histogram, string_to_array(q.ring_entries, ',')::smallint[]),
      hopwhistle.fold_quarter_histogram(old.talk_histogram, string_to_array(q.talk_entries, ',')::smallint[])
    from by_quarter q
    left join hopwhistle.call_metrics_quarterly old on old.tenant_id = q.tenant_id and old.quarter = q.quarter
    where not exists (
      select from hopwhistle.quarters_since s where s.tenant_id = q.tenant_id and s.since > q.quarter)
    on conflict (tenant_id, quarter) do update set
      calls = m.calls + excluded.calls, initiated = m.initiated + excluded.initiated,
      ringing = m.ringing + excluded.ringing, answered = m.answered + excluded.answered,
      completed = m.completed + excluded.completed, busy = m.busy + excluded.busy,
      no_answer = m.no_answer + excluded.no_answer, failed = m.failed + excluded.failed,
      canceled = m.canceled + excluded.canceled, inbound = m.inbound + excluded.inbound,
      outbound = m.outbound + excluded.outbound, connected = m.connected + excluded.connected,
      ring_count = m.ring_count + excluded.ring_count, talk_count = m.talk_count + excluded.talk_count,
      ring_total_ms = m.ring_total_ms + excluded.ring_total_ms,
      talk_total_ms = m.talk_total_ms + excluded.talk_total_ms,
      ring_histogram = excluded.ring_histogram, talk_histogram = excluded.talk_histogram
  ),
  into_hours as (
    insert into hopwhistle.call_metrics_hourly as m (
      tenant_id, hour, calls, initiated, ringing, answered, completed, busy, no_answer, failed, canceled, inbound,
      outbound, connected, ring_count, talk_count, ring_total_ms, talk_total_ms, ring_buckets, ring_counts,
      ring_histogram, talk_buckets, talk_counts, talk_histogram, ring_p50_ms, ring_p95_ms, ring_p99_ms, talk_p50_ms,
      talk_p95_ms, talk_p99_ms)
    select h.tenant_id, h.hour, h.calls, h.initiated, h.ringing, h.answered, h.completed, h.busy, h.no_answer, h.failed,
      h.canceled, h.inbound, h.outbound, h.connected, h.ring_count, h.talk_count, h.ring_total_ms, h.talk_total_ms,
      ring.buckets, ring.counts, ring.histogram, talk.buckets, talk.counts, talk.histogram, ring.p50, ring.p95,
      ring.p99, talk.p50, talk.p95, talk.p99
    from by_hour h
    left join hopwhistle.call_metrics_hourly old on old.tenant_id = h.tenant_id and old.hour = h.hour
    cross join lateral hopwhistle.fold_histogram(
      old.ring_buckets, old.ring_counts, string_to_array(h.ring_entries, ',')::smallint[]) as ring
    cross join lateral hopwhistle.fold_histogram(
      old.talk_buckets, old.talk_counts, string_to_array(h.talk_entries, ',')::smallint[]) as talk
    on conflict (tenant_id, hour) do update set
      calls = m.calls + excluded.calls, initiated = m.initiated + excluded.initiated,
      ringing = m.ringing + excluded.ringing, answered = m.answered + excluded.answered,
      completed = m.completed + excluded.completed, busy = m.busy + excluded.busy,
      no_answer = m.no_answer + excluded.no_answer, failed = m.failed + excluded.failed,
      canceled = m.canceled + excluded.canceled, inbound = m.inbound + excluded.inbound,
      outbound = m.outbound + excluded.outbound, connected = m.connected + excluded.connected,
      ring_count = m.ring_count + excluded.ring_count, talk_count = m.talk_count + excluded.talk_count,
      ring_total_ms = m.ring_total_ms + excluded.ring_total_ms,
      talk_total_ms = m.talk_total_ms + excluded.talk_total_ms, ring_buckets = excluded.ring_buckets,
      ring_counts = excluded.ring_counts, ring_histogram = excluded.ring_histogram,
      talk_buckets = excluded.talk_buckets, talk_counts = excluded.talk_counts,
      talk_histogram = excluded.talk_histogram, ring_p50_ms = excluded.ring_p50_ms,
      ring_p95_ms = excluded.ring_p95_ms, ring_p99_ms = excluded.ring_p99_ms, talk_p50_ms = excluded.talk_p50_ms,
      talk_p95_ms = excluded.talk_p95_ms, talk_p99_ms = excluded.talk_p99_ms
  ),
  into_days as (
    insert into hopwhistle.call_metrics_daily as m (
      tenant_id, day, calls, initiated, ringing, answered, completed, busy, no_answer, failed, canceled, inbound,
      outbound, connected, ring_count, talk_count, ring_total_ms, talk_total_ms, ring_buckets, ring_counts,
      ring_histogram, talk_buckets, talk_counts, talk_histogram, ring_p50_ms, ring_p95_ms, ring_p99_ms, talk_p50_ms,
      talk_p95_ms, talk_p99_ms)
    select d.tenant_id, d.day, d.calls, d.initiated, d.ringing, d.answered, d.completed, d.busy, d.no_answer, d.failed,
      d.canceled, d.inbound, d.outbound, d.connected, d.ring_count, d.talk_count, d.ring_total_ms, d.talk_total_ms,
      ring.buckets, ring.counts, ring.histogram, talk.buckets, talk.counts, talk.histogram, ring.p50, ring.p95,
      ring.p99, talk.p50, talk.p95, talk.p99
    from by_day d
    left join hopwhistle.call_metrics_daily old on old.tenant_id = d.tenant_id and old.day = d.day
    cross join lateral hopwhistle.fold_histogram(
      old.ring_buckets, old.ring_counts, string_to_array(d.ring_entries, ',')::smallint[]) as ring
    cross join lateral hopwhistle.fold_histogram(
      old.talk_buckets, old.talk_counts, string_to_array(d.talk_entries, ',')::smallint[]) as talk
    on conflict (tenant_id, day) do update set
      calls = m.calls + excluded.calls, initiated = m.initiated + excluded.initiated,
      ringing = m.ringing + excluded.ringing, answered = m.answered + excluded.answered,
      completed = m.completed + excluded.completed, busy = m.busy + excluded.busy,
      no_answer = m.no_answer + excluded.no_answer, failed = m.failed + excluded.failed,
      canceled = m.canceled + excluded.canceled, inbound = m.inbound + excluded.inbound,
      outbound = m.outbound + excluded.outbound, connected = m.connected + excluded.connected,
      ring_count = m.ring_count + excluded.ring_count, talk_count = m.talk_count + excluded.talk_count,
      ring_total_ms = m.ring_total_ms + excluded.ring_total_ms,
      talk_total_ms = m.talk_total_ms + excluded.talk_total_ms, ring_buckets = excluded.ring_buckets,
      ring_counts = excluded.ring_counts, ring_histogram = excluded.ring_histogram,
      talk_buckets = excluded.talk_buckets, talk_counts = excluded.talk_counts,
      talk_histogram = excluded.talk_histogram, ring_p50_ms = excluded.ring_p50_ms,
      ring_p95_ms = excluded.ring_p95_ms, ring_p99_ms = excluded.ring_p99_ms, talk_p50_ms = excluded.talk_p50_ms,
      talk_p95_ms = excluded.talk_p95_ms, talk_p99_ms = excluded.talk_p99_ms
  )
  select q.tenant_id, sum(q.taken)::integer, max(q.quarter)
  from by_quarter q
  group by q.tenant_id;

  update hopwhistle.rollup_folding f
  set pending = greatest(f.pending - cardinality(places), 0),
    leased_until = case
      when f.leased_until = '-infinity' then f.leased_until
      else clock_timestamp() + interval '30 seconds'
    end;
end
$$;

-- Since when everything is in call_changes: since now, but for what instances have under way, which ends within the minute.
create table if not exists hopwhistle.call_changes_kept (
  only_row boolean primary key default true,
  since timestamptz not null,
  constraint call_changes_kept_only_row check (only_row)
);
insert into hopwhistle.call_changes_kept (since)
select case when exists (select from hopwhistle.calls) then now() + interval '1 minute' else '-infinity' end
on conflict do nothing;
grant select on hopwhistle.call_changes_kept to hopwhistle_api;

-- What a write adds to call_metrics_pending is by the quarter from here on. Older instances cut these times to the hour when
-- they read them, and go on working.
do $$
declare
  writing record;
begin
  for writing in
    select p.oid from pg_catalog.pg_proc p
    where p.pronamespace = 'hopwhistle'::regnamespace and p.prosrc like '%insert into hopwhistle.call_metrics_pending%'
  loop
    execute regexp_replace(
      pg_get_functiondef(writing.oid), 'date_trunc\(''hour'', ([a-z_.]*started_at), ''UTC''\)',
      'date_bin(''15 minutes'', \1, ''2000-01-01T00:00:00Z'')', 'g');
  end loop;
  if (
    select count(*) from pg_catalog.pg_proc p
    where p.pronamespace = 'hopwhistle'::regnamespace
      and p.prosrc like '%insert into hopwhistle.call_metrics_pending%' and p.prosrc like '%date_bin(%'
  ) <> 2 then
    raise exception 'expected to change commit_call_event and write_call_events';
  end if;
end
$$;

-- Rollups by the quarter go with those by the hour.
do $$
declare
  forgetting text := pg_get_functiondef('hopwhistle.forget_old_calls(interval, interval, integer)'::regprocedure);
begin
  if forgetting not like '%call_metrics_quarterly%' then
    forgetting := replace(forgetting, E'      days as (\n', $sql$      quarters as (
        delete from hopwhistle.call_metrics_quarterly m
        where m.ctid = any (array(
          select q.ctid
          from hopwhistle.call_metrics_quarterly q
          where q.tenant_id = here.at_tenant
            and q.quarter < date_trunc('day', now() - of_tenant.rollup_retention_days * interval '1 day', 'UTC')
          limit 4000))
      ),
      days as (
$sql$);
    if forgetting not like '%call_metrics_quarterly%' then
      raise exception 'expected to change forget_old_calls';
    end if;
    execute forgetting;
  end if;
end
$$;

-- step
set local role hopwhistle_owner;

-- Makes the quarters of one hour of one tenant from its calls: the newest hour that has none. Answers which it was; nothing
-- when another session folds, or when what was pending by the hour is not yet folded. `finished` when there is no such hour.
--
-- What is pending is left out, for folding will add it. No fold can come in between, and calls and pending rows are read by
-- one statement, so the quarters are exact. Where calls are gone, they do not add up to the hour: then it stays as it is, and
-- so do the earlier ones.
--
-- Plans: call_metrics_hourly_pkey backwards; calls_started, one hour; call_metrics_pending_hour, one hour.
create or replace function hopwhistle.split_hour(out tenant_id uuid, out hour timestamptz, out finished boolean)
  language plpgsql security definer
  set search_path = pg_catalog
  set plan_cache_mode = force_generic_plan
  set enable_seqscan = off
  set enable_hashjoin = off
  set enable_mergejoin = off
  set jit = off
as $$
#variable_conflict use_column
declare
  here hopwhistle.quarters_since;
  of_hour hopwhistle.call_metrics_hourly;
  split bigint;
begin
  finished := not exists (select from hopwhistle.quarters_since s where not s.complete);
  if finished or not pg_try_advisory_xact_lock(hashtextextended('hopwhistle.fold_call_metrics', 0)) then
    return;
  end if;
  select s.* into here
  from hopwhistle.quarters_since s, hopwhistle.rollup_folding f
  where not s.complete and f.folded_until > s.written_since + interval '1 minute'
  order by s.since desc
  limit 1;
  if not found then
    return;
  end if;
  perform set_config('synchronous_commit', 'off', true);
  tenant_id := here.tenant_id;

  select m.* into of_hour
  from hopwhistle.call_metrics_hourly m
  where m.tenant_id = here.tenant_id and m.hour < here.since
  order by m.hour desc
  limit 1;
  if not found then
    update hopwhistle.quarters_since s set since = '-infinity', complete = true where s.tenant_id = here.tenant_id;
    return;
  end if;
  hour := of_hour.hour;

  with counted as (
    select date_bin('15 minutes', c.started_at, '2000-01-01T00:00:00Z') as quarter, c.state, c.direction, c.answered_at,
      hopwhistle.elapsed_ms(least(c.initiated_at, c.ringing_at), c.answered_at) as ring_ms,
      hopwhistle.elapsed_ms(c.answered_at, c.ended_at) as talk_ms
    from hopwhistle.calls c
    where c.tenant_id = here.tenant_id and c.started_at >= of_hour.hour and c.started_at < of_hour.hour + interval '1 hour'
  ),
  parts as (
    select quarter, count(*) as calls,
      count(*) filter (where state = 0) as initiated, count(*) filter (where state = 1) as ringing,
      count(*) filter (where state = 2) as answered, count(*) filter (where state = 3) as completed,
      count(*) filter (where state = 4) as busy, count(*) filter (where state = 5) as no_answer,
      count(*) filter (where state = 6) as failed, count(*) filter (where state = 7) as canceled,
      count(*) filter (where direction = 0) as inbound, count(*) filter (where direction = 1) as outbound,
      count(answered_at) as connected, count(ring_ms) as ring_count, count(talk_ms) as talk_count,
      coalesce(sum(ring_ms), 0) as ring_total_ms, coalesce(sum(talk_ms), 0) as talk_total_ms,
      string_agg(hopwhistle.duration_bucket(ring_ms)::text, ',') as ring_entries,
      string_agg(hopwhistle.duration_bucket(talk_ms)::text, ',') as talk_entries
    from counted
    group by quarter
    union all
    select p.hour, -p.calls, -p.initiated, -p.ringing, -p.answered, -p.completed, -p.busy, -p.no_answer, -p.failed,
      -p.canceled, -p.inbound, -p.outbound, -p.connected, -p.ring_count, -p.talk_count, -p.ring_total_ms, -p.talk_total_ms,
      (select string_agg((-e)::text, ',') from unnest(p.ring_entries) as e),
      (select string_agg((-e)::text, ',') from unnest(p.talk_entries) as e)
    from hopwhistle.call_metrics_pending p
    where p.tenant_id = here.tenant_id and p.hour >= of_hour.hour and p.hour < of_hour.hour + interval '1 hour'
  ),
  quarters as (
    select quarter, sum(calls) as calls, sum(initiated) as initiated, sum(ringing) as ringing, sum(answered) as answered,
      sum(completed) as completed, sum(busy) as busy, sum(no_answer) as no_answer, sum(failed) as failed,
      sum(canceled) as canceled, sum(inbound) as inbound, sum(outbound) as outbound, sum(connected) as connected,
      sum(ring_count) as ring_count, sum(talk_count) as talk_count, sum(ring_total_ms) as ring_total_ms,
      sum(talk_total_ms) as talk_total_ms,
      string_agg(ring_entries, ',') as ring_entries,
      string_agg(talk_entries, ',') as talk_entries
    from parts
    group by quarter
  ),
  made as (
    insert into hopwhistle.call_metrics_quarterly (
      tenant_id, quarter, calls, initiated, ringing, answered, completed, busy, no_answer, failed, canceled, inbound,
      outbound, connected, ring_count, talk_count, ring_total_ms, talk_total_ms, ring_histogram, talk_histogram)
    select here.tenant_id, q.quarter, q.calls, q.initiated, q.ringing, q.answered, q.completed, q.busy, q.no_answer, q.failed,
      q.canceled, q.inbound, q.outbound, q.connected, q.ring_count, q.talk_count, q.ring_total_ms, q.talk_total_ms,
      hopwhistle.fold_quarter_histogram(null, string_to_array(q.ring_entries, ',')::smallint[]),
      hopwhistle.fold_quarter_histogram(null, string_to_array(q.talk_entries, ',')::smallint[])
    from quarters q
    returning calls
  )
  select coalesce(sum(m.calls), 0) into split from made m;

  if split = of_hour.calls then
    update hopwhistle.quarters_since s set since = of_hour.hour where s.tenant_id = here.tenant_id;
  else
    delete from hopwhistle.call_metrics_quarterly q
    where q.tenant_id = here.tenant_id and q.quarter >= of_hour.hour and q.quarter < of_hour.hour + interval '1 hour';
    update hopwhistle.quarters_since s set complete = true where s.tenant_id = here.tenant_id;
  end if;
end
$$;
revoke all on function hopwhistle.split_hour() from public;
grant execute on function hopwhistle.split_hour() to hopwhistle_api;
