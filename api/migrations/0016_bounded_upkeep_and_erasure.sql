set local role hopwhistle_owner;

-- Folding in steps: see docs/decisions/0011-folding-takes-turns.md.
--
-- One instance at a time makes a pass over everything that is pending. Its lease is not a lock, so that it can be kept
-- over many short transactions on any connection.
create table hopwhistle.rollup_folding (
  only_row boolean primary key default true,
  leased_until timestamptz not null default '-infinity',
  folded_until timestamptz,
  pending bigint not null default 0,
  constraint rollup_folding_only_row check (only_row)
);
comment on column hopwhistle.rollup_folding.leased_until is 'until then the instance that makes a pass is left alone';
comment on column hopwhistle.rollup_folding.folded_until is 'all that was committed before is folded; up to a minute old';
comment on column hopwhistle.rollup_folding.pending is 'rows that the latest pass has yet to fold';
insert into hopwhistle.rollup_folding default values;

-- Begins a pass, unless another instance is at one. Tenants and how many rows each has pending come only with
-- `may_fold`; the rest always, for the metrics of the instance.
create function hopwhistle.begin_fold_pass(
  out may_fold boolean, out began_at timestamptz, out folded_until timestamptz, out pending bigint,
  out tenants text[], out counts integer[]
)
  language plpgsql security definer
  set search_path = pg_catalog
  set enable_seqscan = off
  set jit = off
as $$
declare
  here hopwhistle.rollup_folding;
begin
  may_fold := false;
  began_at := clock_timestamp();
  perform set_config('synchronous_commit', 'off', true);
  if not exists (select from hopwhistle.call_metrics_pending) then
    -- Idle instances write once a minute.
    update hopwhistle.rollup_folding f
    set folded_until = began_at, pending = 0
    where f.only_row = (
      select o.only_row from hopwhistle.rollup_folding o
      where o.folded_until is null or o.folded_until < began_at - interval '1 minute' or o.pending <> 0
      for update skip locked);
    folded_until := began_at;
    pending := 0;
    return;
  end if;

  select f.* into here from hopwhistle.rollup_folding f for update skip locked;
  if not found or here.leased_until > began_at then
    select f.folded_until, f.pending into folded_until, pending from hopwhistle.rollup_folding f;
    return;
  end if;
  select array_agg(p.tenant_id::text), array_agg(p.rows), coalesce(sum(p.rows), 0)
  into tenants, counts, pending
  from (select m.tenant_id, count(*)::integer as rows from hopwhistle.call_metrics_pending m group by m.tenant_id) p;
  may_fold := tenants is not null;
  folded_until := here.folded_until;
  update hopwhistle.rollup_folding f
  set pending = begin_fold_pass.pending,
    leased_until = case when may_fold then clock_timestamp() + interval '30 seconds' else f.leased_until end;
end
$$;

-- Moves pending rows into the hourly and daily rows: of each of the tenants, from its hour on, `each_at_most`, and of all
-- together `at_most`. Tells how many it took of each tenant that had any, and the hour of the last. One row without a
-- tenant says that another session is folding at this moment.
--
-- Pending rows go and folded rows come in the same transaction, so no statement ever sees a change twice or not at all.
-- Its commit does not wait for the WAL: after a crash the same work is done again.
--
-- Its cost is linear in what it takes: entries of an hour are joined as text, in the same aggregate as its sums. Plans:
-- call_metrics_pending_hour, one range for each tenant; rows by their place; the primary keys of the rollups.
create function hopwhistle.fold_call_metrics(
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
  perform set_config('synchronous_commit', 'off', true);

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
  by_hour as materialized (
    select tenant_id, hour, count(*)::integer as taken,
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
  select h.tenant_id, sum(h.taken)::integer, max(h.hour)
  from by_hour h
  group by h.tenant_id;

  update hopwhistle.rollup_folding f
  set pending = greatest(f.pending - cardinality(places), 0),
    leased_until = case
      when f.leased_until = '-infinity' then f.leased_until
      else clock_timestamp() + interval '30 seconds'
    end;
end
$$;

-- Ends a pass. Give when it began, if it came to its end for every tenant, and else null.
create function hopwhistle.end_fold_pass(folded_all_until timestamptz) returns void
  language sql volatile security definer
  set search_path = pg_catalog
  set synchronous_commit = off
as $$
  update hopwhistle.rollup_folding f
  set leased_until = '-infinity', folded_until = greatest(f.folded_until, folded_all_until)
$$;

-- For instances of the version before, until the last of them is replaced: a bounded step of what is pending for some
-- tenants, beginning with one picked at random.
create or replace function hopwhistle.fold_call_metrics() returns bigint
  language plpgsql security definer
  set search_path = pg_catalog
  set enable_seqscan = off
  set jit = off
as $$
declare
  behind uuid := gen_random_uuid();
  first boolean := true;
  next uuid;
  total bigint := 0;
begin
  while total < 5000 loop
    select p.tenant_id into next
    from hopwhistle.call_metrics_pending p where p.tenant_id > behind order by p.tenant_id limit 1;
    if next is null then
      exit when not first;
      first := false;
      select p.tenant_id into next from hopwhistle.call_metrics_pending p order by p.tenant_id limit 1;
      exit when next is null;
    end if;
    behind := next;
    total := total + coalesce((
      select sum(f.folded)
      from hopwhistle.fold_call_metrics(array[next], array['-infinity'::timestamptz], 5000, 5000) f), 0);
  end loop;
  return total;
end
$$;

-- Batches that were committed longer than `older_than` ago and are still in the outbox, from the one after `behind` on,
-- without those of some tenants. Plan: outbox_pkey, read on from where the sweep is.
create function hopwhistle.find_stale_outbox(older_than interval, behind bigint, without_tenants uuid[], at_most integer)
  returns table (batch_id bigint, tenant_id uuid, age_seconds double precision)
  language sql stable security definer
  set search_path = pg_catalog
  set enable_seqscan = off
as $$
  select o.batch_id, o.tenant_id, extract(epoch from now() - o.created_at)::float8
  from hopwhistle.outbox o
  where o.batch_id > behind and o.created_at < now() - older_than and o.tenant_id <> all (without_tenants)
  order by o.batch_id
  limit at_most
$$;

-- Locks these until the end of the transaction, and leaves out what is gone and what another sweeper has locked.
create function hopwhistle.lock_outbox(batch_ids bigint[])
  returns table (batch_id bigint, tenant_id uuid, event_ids text[], sequences integer[])
  language sql volatile security definer
  set search_path = pg_catalog
  set enable_seqscan = off
as $$
  select o.batch_id, o.tenant_id, o.event_ids, o.sequences
  from hopwhistle.outbox o
  where o.batch_id = any (batch_ids)
  order by o.batch_id
  for update skip locked
$$;

-- How long calls and rollups of one tenant are kept.
alter table hopwhistle.tenants
  add column retention_days integer constraint tenants_retention_days check (retention_days = 0 or retention_days >= 91),
  add column rollup_retention_days integer constraint tenants_rollup_retention_days check (rollup_retention_days >= 91);
comment on column hopwhistle.tenants.retention_days is 'instead of RETENTION_DAYS; 0 keeps calls for ever';
comment on column hopwhistle.tenants.rollup_retention_days is 'rollups of older days are deleted; null keeps them for ever';

-- As in 0008, but each tenant's calls are kept for as long as it says, and its rollups too. `keep` of 0 is for ever. At most
-- 1,000 hours of rollups go in one portion.
create or replace function hopwhistle.forget_old_calls(
  keep interval, again_after interval, at_most integer,
  out calls integer, out events integer, out finished boolean, out passed_at timestamptz
)
  language plpgsql security definer
  set search_path = pg_catalog
  set plan_cache_mode = force_generic_plan
  set enable_seqscan = off
  set enable_hashjoin = off
  set enable_mergejoin = off
  set jit = off
as $$
declare
  here hopwhistle.retention;
  of_tenant hopwhistle.tenants;
  before timestamptz;
  looked_at integer;
  old_calls text[];
  last_started timestamptz;
  last_call text;
  gone_calls integer;
  gone_events integer;
  gone_rollups integer;
begin
  calls := 0;
  events := 0;
  finished := true;
  select * into here from hopwhistle.retention for update skip locked;
  if not found then
    return;
  end if;
  passed_at := here.passed_at;
  if here.at_tenant is null then
    if here.passed_at > now() - again_after then
      return;
    end if;
    here.at_started := '-infinity';
    here.at_call := '';
    select t.id into here.at_tenant from hopwhistle.tenants t order by t.id limit 1;
  end if;
  -- Its commit does not wait for the WAL: after a crash the same work is done again.
  perform set_config('synchronous_commit', 'off', true);

  while here.at_tenant is not null and at_most > 0 loop
    select t.* into of_tenant from hopwhistle.tenants t where t.id = here.at_tenant;
    before := coalesce(now() - nullif(coalesce(of_tenant.retention_days * interval '1 day', keep), interval '0'), '-infinity');
    select count(*), array_agg(l.call_id) filter (where l.updated_at < before),
      (array_agg(l.started_at order by l.started_at desc, l.call_id desc))[1],
      (array_agg(l.call_id order by l.started_at desc, l.call_id desc))[1]
    into looked_at, old_calls, last_started, last_call
    from (
      select c.call_id, c.started_at, c.updated_at
      from hopwhistle.calls c
      where c.tenant_id = here.at_tenant and c.started_at < before
        and c.started_at >= here.at_started and (c.started_at, c.call_id) > (here.at_started, here.at_call)
      order by c.started_at, c.call_id
      limit at_most
    ) l;

    if old_calls is not null then
      with locked as (
        select c.call_id
        from hopwhistle.calls c
        where c.tenant_id = here.at_tenant and c.call_id = any (old_calls) and c.updated_at < before
        for update skip locked
      ),
      forgotten as (
        delete from hopwhistle.calls c using locked l
        where c.call_id = l.call_id and c.tenant_id = here.at_tenant
        returning c.call_id
      ),
      with_events as (
        delete from hopwhistle.call_events e using forgotten f
        where e.call_id = f.call_id and e.tenant_id = here.at_tenant
        returning 1
      )
      select (select count(*) from forgotten), (select count(*) from with_events) into gone_calls, gone_events;
      calls := calls + gone_calls;
      events := events + gone_events;
    end if;

    if looked_at = at_most then
      here.at_started := last_started;
      here.at_call := last_call;
    else
      delete from hopwhistle.events_aside a where a.tenant_id = here.at_tenant and a.received_at < before;
      -- Whole days, so that hours and days say the same.
      with old as (
        select m.ctid as place
        from hopwhistle.call_metrics_hourly m
        where m.tenant_id = here.at_tenant
          and m.hour < date_trunc('day', now() - of_tenant.rollup_retention_days * interval '1 day', 'UTC')
        limit 1000
      ),
      hours as (
        delete from hopwhistle.call_metrics_hourly m where m.ctid = any (array(select o.place from old o)) returning 1
      ),
      days as (
        delete from hopwhistle.call_metrics_daily m
        where m.tenant_id = here.at_tenant
          and m.day < date_trunc('day', now() - of_tenant.rollup_retention_days * interval '1 day', 'UTC')
      )
      select count(*) into gone_rollups from hours;
      exit when gone_rollups = 1000;
      here.at_started := '-infinity';
      here.at_call := '';
      select t.id into here.at_tenant from hopwhistle.tenants t where t.id > here.at_tenant order by t.id limit 1;
    end if;
    -- A tenant that has nothing costs a look as well.
    at_most := at_most - greatest(looked_at, 1);
  end loop;

  finished := here.at_tenant is null;
  if finished then
    passed_at := now();
  end if;
  update hopwhistle.retention r
  set at_tenant = here.at_tenant, at_started = here.at_started, at_call = here.at_call, passed_at = forget_old_calls.passed_at;
end
$$;

-- Events whose time is outside the window, with EVENTS_KEEP_ASIDE: as they were sent, in no call and no report.
create table hopwhistle.events_aside (
  tenant_id uuid not null,
  event_id text collate "C" not null,
  received_at timestamptz not null default now(),
  body jsonb not null,
  primary key (tenant_id, event_id)
);
alter table hopwhistle.events_aside enable row level security, force row level security;
create policy owner_sees_all on hopwhistle.events_aside for all to hopwhistle_owner using (true) with check (true);

create function hopwhistle.keep_events_aside(of_tenant uuid, bodies jsonb) returns void
  language sql volatile security definer
  set search_path = pg_catalog
as $$
  insert into hopwhistle.events_aside (tenant_id, event_id, body)
  select of_tenant, body ->> 'eventId', body from jsonb_array_elements(bodies) as body
  on conflict do nothing
$$;

-- What was erased on request: as a record for audits, and to erase it again after a restore.
--
-- A number is kept as a salted hash only. There are so few numbers that anybody with the list can find them by trying:
-- treat it as personal data.
create table hopwhistle.erasures (
  id uuid primary key,
  kind text not null,
  tenant_id uuid,
  subject text not null,
  salt bytea not null default sha256(uuid_send(gen_random_uuid())),
  asked_by text not null,
  erased_at timestamptz not null default now(),
  events bigint not null default 0,
  calls bigint not null default 0,
  constraint erasures_kind check (kind in ('number', 'call', 'tenant'))
);
alter table hopwhistle.erasures enable row level security, force row level security;
create policy owner_sees_all on hopwhistle.erasures for all to hopwhistle_owner using (true) with check (true);
comment on column hopwhistle.erasures.tenant_id is 'null: of all tenants';
comment on column hopwhistle.erasures.subject is 'the SHA-256 of salt and number in hexadecimal, the id of the call, or of the tenant';

revoke all on function hopwhistle.begin_fold_pass(), hopwhistle.end_fold_pass(timestamptz),
  hopwhistle.fold_call_metrics(uuid[], timestamptz[], integer, integer),
  hopwhistle.find_stale_outbox(interval, bigint, uuid[], integer), hopwhistle.lock_outbox(bigint[]),
  hopwhistle.keep_events_aside(uuid, jsonb) from public;
grant execute on function hopwhistle.begin_fold_pass(), hopwhistle.end_fold_pass(timestamptz),
  hopwhistle.fold_call_metrics(uuid[], timestamptz[], integer, integer),
  hopwhistle.find_stale_outbox(interval, bigint, uuid[], integer), hopwhistle.lock_outbox(bigint[]),
  hopwhistle.keep_events_aside(uuid, jsonb) to hopwhistle_api;
