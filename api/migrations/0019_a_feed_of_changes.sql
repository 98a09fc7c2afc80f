-- A feed of the calls that have changed, and the order of calls by their talk time. See
-- docs/decisions/0015-the-feed-is-written-by-the-folder.md.

-- step
set local role hopwhistle_owner;
alter table hopwhistle.calls add column if not exists talk_ms bigint;
comment on column hopwhistle.calls.talk_ms is
  'from answered to the end, null before: stored, because an index on answered_at would keep the event that answers a call from being written in place';

-- step
set local role hopwhistle_owner;
alter table hopwhistle.call_metrics_pending
  add column if not exists changed_calls text[] collate "C",
  add column if not exists changed_sequences integer[];
-- Gone within a second: compressing it is not worth the time.
alter table hopwhistle.call_metrics_pending alter column changed_calls set storage external;
comment on column hopwhistle.call_metrics_pending.changed_calls is 'calls that were written, for call_changes';
comment on column hopwhistle.call_metrics_pending.changed_sequences is 'of changed_calls: their sequence after that';

-- step
set local role hopwhistle_owner;

-- What changed, a hundred calls a row, in the order of commit. Only fold_call_metrics of 0021 writes it, in one session at a
-- time. So a number that can be seen means that every smaller one can be. A change counts while its sequence is the one that
-- the call has: of a call that has changed again, a later row tells.
create table if not exists hopwhistle.call_changes (
  tenant_id uuid not null,
  change_id bigint not null generated always as identity,
  folded_at timestamptz not null default clock_timestamp(),
  call_ids text[] collate "C" not null,
  sequences integer[] not null,
  primary key (tenant_id, change_id)
) with (autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000);
create index if not exists call_changes_folded on hopwhistle.call_changes (folded_at);
alter table hopwhistle.call_changes enable row level security, force row level security;
drop policy if exists owner_sees_all on hopwhistle.call_changes;
create policy owner_sees_all on hopwhistle.call_changes to hopwhistle_owner using (true) with check (true);
drop policy if exists api_sees_its_tenants on hopwhistle.call_changes;
create policy api_sees_its_tenants on hopwhistle.call_changes for select to hopwhistle_api
  using (tenant_id = any ((select nullif(current_setting('hopwhistle.tenant_ids', true), '')::uuid[])::uuid[]));
grant select on hopwhistle.call_changes to hopwhistle_api;

grant select on hopwhistle.rollup_folding to hopwhistle_api;

-- The last change that is surely before this time. Clocks of instances may differ from that of the primary by seconds.
create or replace function hopwhistle.change_before(since timestamptz) returns bigint
  language sql stable security definer
  set search_path = pg_catalog
as $$
  select coalesce(
    (select c.change_id - 1 from hopwhistle.call_changes c where c.folded_at >= since - interval '10 seconds'
     order by c.folded_at limit 1),
    (select c.change_id from hopwhistle.call_changes c order by c.folded_at desc limit 1),
    0)
$$;

-- Deletes changes that are older; says how many rows.
create or replace function hopwhistle.forget_old_changes(keep interval, at_most integer) returns integer
  language plpgsql security definer
  set search_path = pg_catalog
  set enable_seqscan = off
as $$
declare
  before timestamptz := now() - keep;
  gone integer;
begin
  if not exists (select from hopwhistle.call_changes c where c.folded_at < before) then
    return 0;
  end if;
  perform set_config('synchronous_commit', 'off', true);
  update hopwhistle.call_changes_kept k set since = before where k.since < before;
  with old as (
    select c.ctid as place from hopwhistle.call_changes c where c.folded_at < before order by c.folded_at limit at_most
    for update skip locked
  )
  delete from hopwhistle.call_changes c where c.ctid = any (array(select o.place from old o));
  get diagnostics gone = row_count;
  return gone;
end
$$;

-- For what changes a call without an event, such as an erasure: it is in the feed again.
create or replace function hopwhistle.note_changed_calls(of_tenant uuid, calls text[]) returns void
  language sql volatile
  set search_path = pg_catalog
as $$
  insert into hopwhistle.call_metrics_pending (
    tenant_id, hour, calls, initiated, ringing, answered, completed, busy, no_answer, failed, canceled,
    inbound, outbound, connected, ring_count, talk_count, ring_total_ms, talk_total_ms, changed_calls, changed_sequences)
  select of_tenant, date_trunc('hour', min(c.started_at), 'UTC'), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    array_agg(c.call_id), array_agg(c.sequence)
  from hopwhistle.calls c
  where c.tenant_id = of_tenant and c.call_id = any (calls)
  having count(*) > 0
$$;

revoke all on function hopwhistle.change_before(timestamptz), hopwhistle.forget_old_changes(interval, integer),
  hopwhistle.note_changed_calls(uuid, text[]) from public;
grant execute on function hopwhistle.change_before(timestamptz), hopwhistle.forget_old_changes(interval, integer)
  to hopwhistle_api;

-- As in 0012, with talk_ms, and with what changed for call_changes.
create or replace function hopwhistle.write_call_events(
  tenant_ids uuid[], event_ids text[], call_ids text[], states smallint[], occurred_ms bigint[], received_us bigint[],
  directions smallint[], from_numbers text[], to_numbers text[], metadatas text[], corrections boolean[],
  progresses bigint[],
  out places smallint[], out outcomes text, out call_states text, out sequences integer[],
  out batch_ids bigint[], out batch_tenants uuid[]
)
  language plpgsql
  set search_path = pg_catalog
  set plan_cache_mode = force_generic_plan
  set enable_nestloop = off
  set enable_mergejoin = off
  set jit = off
as $$
begin
  with fresh as (
    insert into hopwhistle.call_events (
      tenant_id, event_id, call_id, state, occurred_at, received_at, direction, from_number, to_number, metadata,
      corrects, place)
    select tenant_id, event_id, call_id, state::hopwhistle.call_state, to_timestamp(occurred / 1000.0::float8),
      to_timestamp(received / 1000000.0::float8), direction::hopwhistle.call_direction, from_number, to_number,
      metadata::jsonb, corrects, place
    from unnest(
      tenant_ids, event_ids, call_ids, states, occurred_ms, received_us, directions, from_numbers, to_numbers, metadatas,
      corrections
    ) with ordinality as given (
      tenant_id, event_id, call_id, state, occurred, received, direction, from_number, to_number, metadata, corrects,
      place)
    order by tenant_id, event_id collate "C"
    on conflict (tenant_id, event_id) do nothing
    returning tenant_id, event_id, call_id, state, occurred_at, received_at, direction, from_number, to_number, corrects,
      place
  ),
  moved as materialized (
    select f.*, progresses[place] as progress
    from fresh f
  ),
  -- prior_progress: how far the events before it in this batch take the call; null for the first.
  arrived as (
    select tenant_id, call_id, event_id, place, progress,
      max(progress) over (to_here rows between unbounded preceding and 1 preceding) as prior_progress,
      row_number() over to_here - count(*) over (partition by tenant_id, call_id) as before_last
    from moved
    window to_here as (partition by tenant_id, call_id order by place)
  ),
  folded as (
    select tenant_id, call_id,
      max(progress) as progress,
      min(occurred_at) as started_at,
      min(occurred_at) filter (where state = 0) as initiated_at,
      min(occurred_at) filter (where state = 1) as ringing_at,
      min(occurred_at) filter (where state = 2) as answered_at,
      min(occurred_at) filter (where state >= 3) as ended_at,
      max(received_at) as updated_at,
      min(direction) as direction,
      min(from_number) as from_number,
      min(to_number) as to_number,
      count(*)::integer as events
    from moved
    group by tenant_id, call_id
  ),
  written as (
    insert into hopwhistle.calls as c (
      tenant_id, call_id, state, started_at, initiated_at, ringing_at, answered_at, ended_at,
      progress, updated_at, direction, from_number, to_number, sequence, talk_ms)
    select tenant_id, call_id, (progress & 7)::smallint, started_at, initiated_at, ringing_at, answered_at, ended_at, progress,
      updated_at, direction, from_number, to_number, events, hopwhistle.elapsed_ms(answered_at, ended_at)
    from folded
    order by tenant_id, call_id
    on conflict (tenant_id, call_id) do update set
      previous_state = c.state,
      previous_started_at = c.started_at,
      previous_initiated_at = c.initiated_at,
      previous_ringing_at = c.ringing_at,
      previous_answered_at = c.answered_at,
      previous_ended_at = c.ended_at,
      previous_progress = coalesce(c.progress, hopwhistle.progress_before(c.state, c.ended_at)),
      previous_direction = c.direction,
      state = case
        when excluded.progress > coalesce(c.progress, hopwhistle.progress_before(c.state, c.ended_at)) then excluded.state
        else c.state
      end,
      started_at = least(c.started_at, excluded.started_at),
      initiated_at = least(c.initiated_at, excluded.initiated_at),
      ringing_at = least(c.ringing_at, excluded.ringing_at),
      answered_at = least(c.answered_at, excluded.answered_at),
      ended_at = least(c.ended_at, excluded.ended_at),
      progress = greatest(coalesce(c.progress, hopwhistle.progress_before(c.state, c.ended_at)), excluded.progress),
      updated_at = greatest(c.updated_at, excluded.updated_at),
      direction = least(c.direction, excluded.direction),
      from_number = least(c.from_number, excluded.from_number),
      to_number = least(c.to_number, excluded.to_number),
      sequence = coalesce(c.sequence, 0) + excluded.sequence,
      talk_ms = hopwhistle.elapsed_ms(least(c.answered_at, excluded.answered_at), least(c.ended_at, excluded.ended_at))
    returning tenant_id, call_id, state, direction, started_at, initiated_at, ringing_at, answered_at, ended_at, talk_ms,
      previous_state, previous_direction, previous_started_at, previous_initiated_at, previous_ringing_at,
      previous_answered_at, previous_ended_at, previous_progress, sequence
  ),
  measured as (
    select tenant_id, call_id, sequence, state, direction, answered_at,
      date_trunc('hour', started_at, 'UTC') as hour,
      hopwhistle.elapsed_ms(least(initiated_at, ringing_at), answered_at) as ring_ms,
      talk_ms,
      previous_state, previous_direction, previous_answered_at,
      date_trunc('hour', previous_started_at, 'UTC') as previous_hour,
      hopwhistle.elapsed_ms(least(previous_initiated_at, previous_ringing_at), previous_answered_at) as previous_ring_ms,
      hopwhistle.elapsed_ms(previous_answered_at, previous_ended_at) as previous_talk_ms
    from written
  ),
  -- What each call counts for now, and what it no longer counts for. A duration that stays where it is would add an
  -- entry and take it away again.
  changes as (
    select tenant_id, hour, 1 as n, call_id, sequence, state, direction, answered_at, ring_ms, talk_ms,
      hour is distinct from previous_hour or ring_ms is distinct from previous_ring_ms as other_ring,
      hour is distinct from previous_hour or talk_ms is distinct from previous_talk_ms as other_talk
    from measured
    union all
    select tenant_id, previous_hour, -1, null, null, previous_state, previous_direction, previous_answered_at, previous_ring_ms,
      previous_talk_ms,
      hour is distinct from previous_hour or ring_ms is distinct from previous_ring_ms,
      hour is distinct from previous_hour or talk_ms is distinct from previous_talk_ms
    from measured
    where previous_state is not null
  ),
  pending as (
    insert into hopwhistle.call_metrics_pending (
      tenant_id, hour, calls, initiated, ringing, answered, completed, busy, no_answer, failed, canceled,
      inbound, outbound, connected, ring_count, talk_count, ring_total_ms, talk_total_ms, ring_entries, talk_entries,
      changed_calls, changed_sequences)
    select tenant_id, hour,
      sum(n),
      coalesce(sum(n) filter (where state = 0), 0),
      coalesce(sum(n) filter (where state = 1), 0),
      coalesce(sum(n) filter (where state = 2), 0),
      coalesce(sum(n) filter (where state = 3), 0),
      coalesce(sum(n) filter (where state = 4), 0),
      coalesce(sum(n) filter (where state = 5), 0),
      coalesce(sum(n) filter (where state = 6), 0),
      coalesce(sum(n) filter (where state = 7), 0),
      coalesce(sum(n) filter (where direction = 0), 0),
      coalesce(sum(n) filter (where direction = 1), 0),
      coalesce(sum(n) filter (where answered_at is not null), 0),
      coalesce(sum(n) filter (where ring_ms is not null), 0),
      coalesce(sum(n) filter (where talk_ms is not null), 0),
      coalesce(sum(n * ring_ms), 0),
      coalesce(sum(n * talk_ms), 0),
      array_agg((n * hopwhistle.duration_bucket(ring_ms))::smallint) filter (where ring_ms is not null and other_ring),
      array_agg((n * hopwhistle.duration_bucket(talk_ms))::smallint) filter (where talk_ms is not null and other_talk),
      array_agg(call_id) filter (where n = 1),
      array_agg(sequence) filter (where n = 1)
    from changes
    group by tenant_id, hour
  ),
  answered as (
    select tenant_id, event_id, place, w.state::text as state, (w.sequence + before_last)::integer as sequence,
      case when a.progress > coalesce(greatest(a.prior_progress, w.previous_progress), -1) then '0' else '1' end as outcome
    from arrived a join written w using (tenant_id, call_id)
    order by place
  ),
  outboxed as (
    insert into hopwhistle.outbox (tenant_id, event_ids, sequences)
    select tenant_id, array_agg(event_id order by place), array_agg(sequence order by place)
    from answered
    group by tenant_id
    returning batch_id, tenant_id
  )
  select e.places, e.outcomes, e.call_states, e.sequences, b.batch_ids, b.batch_tenants
  from (
    select array_agg(place) as places, string_agg(outcome, '') as outcomes, string_agg(state, '') as call_states,
      array_agg(sequence) as sequences
    from answered
  ) e,
  (select array_agg(batch_id) as batch_ids, array_agg(tenant_id) as batch_tenants from outboxed) b
  into places, outcomes, call_states, sequences, batch_ids, batch_tenants;
end
$$;

-- As in 0012, with talk_ms, and with what changed for call_changes. A call whose first event is its only one has no talk time.
create or replace procedure hopwhistle.commit_call_event(
  of_tenant uuid, of_event text, of_call text, new_state smallint, occurred_ms bigint, received_us bigint,
  new_direction smallint, new_from text, new_to text, new_metadata text, new_corrects boolean,
  new_progress bigint, published bigint[],
  inout outcomes text, inout call_states text, inout sequences integer[], inout batch_ids bigint[], inout batch_tenants uuid[], inout commit_position text
)
  language plpgsql
as $$
declare
  occurred timestamptz := to_timestamp(occurred_ms / 1000.0::float8);
  received timestamptz := to_timestamp(received_us / 1000000.0::float8);
  new_call hopwhistle.calls;
  -- Of the call as it is now and as it was before: null when there was none.
  new_hour timestamptz;
  old_hour timestamptz;
  new_ring bigint;
  old_ring bigint;
  new_talk bigint;
  old_talk bigint;
  -- How often each counts in the row of rollups that is being written: 1 and 0, 1 and -1, or 0 and -1.
  n integer := 1;
  o integer := 0;
  in_hour timestamptz;
  batch bigint;
begin
  perform set_config('hopwhistle.tenant_ids', '{' || of_tenant || '}', true);

  if cardinality(published) > 0 then
    perform hopwhistle.forget_published(published);
  end if;

  insert into hopwhistle.call_events (
    tenant_id, event_id, call_id, state, occurred_at, received_at, direction, from_number, to_number, metadata,
    corrects, place)
  values (
    of_tenant, of_event, of_call, new_state::hopwhistle.call_state, occurred, received,
    new_direction::hopwhistle.call_direction, new_from, new_to, new_metadata::jsonb, new_corrects, 1)
  on conflict (tenant_id, event_id) do nothing;

  if not found then
    -- Stored before, which is rare: the batch's way finds out when and how.
    call hopwhistle.commit_call_events('{' || of_tenant || '}', array[of_tenant], array[of_event], array[of_call],
      array[new_state], array[occurred_ms], array[received_us], array[new_direction], array[new_from], array[new_to],
      array[new_metadata], array[new_corrects], array[new_progress], '{}', outcomes, call_states, sequences, batch_ids, batch_tenants, commit_position);
    return;
  end if;

  insert into hopwhistle.calls as c (
    tenant_id, call_id, state, started_at, initiated_at, ringing_at, answered_at, ended_at,
    progress, updated_at, direction, from_number, to_number, sequence)
  values (
    of_tenant, of_call, new_state, occurred,
    case when new_state = 0 then occurred end,
    case when new_state = 1 then occurred end,
    case when new_state = 2 then occurred end,
    case when new_state >= 3 then occurred end,
    new_progress, received, new_direction, new_from, new_to, 1)
  on conflict (tenant_id, call_id) do update set
    previous_state = c.state,
    previous_started_at = c.started_at,
    previous_initiated_at = c.initiated_at,
    previous_ringing_at = c.ringing_at,
    previous_answered_at = c.answered_at,
    previous_ended_at = c.ended_at,
    previous_progress = coalesce(c.progress, hopwhistle.progress_before(c.state, c.ended_at)),
    previous_direction = c.direction,
    state = case
      when excluded.progress > coalesce(c.progress, hopwhistle.progress_before(c.state, c.ended_at)) then excluded.state
      else c.state
    end,
    started_at = least(c.started_at, excluded.started_at),
    initiated_at = least(c.initiated_at, excluded.initiated_at),
    ringing_at = least(c.ringing_at, excluded.ringing_at),
    answered_at = least(c.answered_at, excluded.answered_at),
    ended_at = least(c.ended_at, excluded.ended_at),
    progress = greatest(coalesce(c.progress, hopwhistle.progress_before(c.state, c.ended_at)), excluded.progress),
    updated_at = greatest(c.updated_at, excluded.updated_at),
    direction = least(c.direction, excluded.direction),
    from_number = least(c.from_number, excluded.from_number),
    to_number = least(c.to_number, excluded.to_number),
    sequence = coalesce(c.sequence, 0) + 1,
    talk_ms = hopwhistle.elapsed_ms(least(c.answered_at, excluded.answered_at), least(c.ended_at, excluded.ended_at))
  returning * into new_call;

  outcomes := '0';
  if new_progress <= new_call.previous_progress then
    outcomes := '1';
    update hopwhistle.call_events e set outcome = 1 where e.tenant_id = of_tenant and e.event_id = of_event;
  end if;

  new_hour := date_trunc('hour', new_call.started_at, 'UTC');
  new_ring := hopwhistle.elapsed_ms(least(new_call.initiated_at, new_call.ringing_at), new_call.answered_at);
  new_talk := new_call.talk_ms;
  if new_call.previous_state is not null then
    old_hour := date_trunc('hour', new_call.previous_started_at, 'UTC');
    old_ring := hopwhistle.elapsed_ms(
      least(new_call.previous_initiated_at, new_call.previous_ringing_at), new_call.previous_answered_at);
    old_talk := hopwhistle.elapsed_ms(new_call.previous_answered_at, new_call.previous_ended_at);
    if old_hour = new_hour then o := -1; end if;
  end if;

  in_hour := new_hour;
  loop
    insert into hopwhistle.call_metrics_pending (
      tenant_id, hour, calls, initiated, ringing, answered, completed, busy, no_answer, failed, canceled,
      inbound, outbound, connected, ring_count, talk_count, ring_total_ms, talk_total_ms, ring_entries, talk_entries,
      changed_calls, changed_sequences)
    values (
      of_tenant, in_hour, n + o,
      n * (new_call.state = 0)::integer + o * coalesce((new_call.previous_state = 0)::integer, 0),
      n * (new_call.state = 1)::integer + o * coalesce((new_call.previous_state = 1)::integer, 0),
      n * (new_call.state = 2)::integer + o * coalesce((new_call.previous_state = 2)::integer, 0),
      n * (new_call.state = 3)::integer + o * coalesce((new_call.previous_state = 3)::integer, 0),
      n * (new_call.state = 4)::integer + o * coalesce((new_call.previous_state = 4)::integer, 0),
      n * (new_call.state = 5)::integer + o * coalesce((new_call.previous_state = 5)::integer, 0),
      n * (new_call.state = 6)::integer + o * coalesce((new_call.previous_state = 6)::integer, 0),
      n * (new_call.state = 7)::integer + o * coalesce((new_call.previous_state = 7)::integer, 0),
      n * coalesce((new_call.direction = 0)::integer, 0) + o * coalesce((new_call.previous_direction = 0)::integer, 0),
      n * coalesce((new_call.direction = 1)::integer, 0) + o * coalesce((new_call.previous_direction = 1)::integer, 0),
      n * (new_call.answered_at is not null)::integer + o * (new_call.previous_answered_at is not null)::integer,
      n * (new_ring is not null)::integer + o * (old_ring is not null)::integer,
      n * (new_talk is not null)::integer + o * (old_talk is not null)::integer,
      n * coalesce(new_ring, 0) + o * coalesce(old_ring, 0),
      n * coalesce(new_talk, 0) + o * coalesce(old_talk, 0),
      -- A duration that stays where it is would add an entry and take it away again.
      case when n + o <> 0 or new_ring is distinct from old_ring then
        nullif(array_remove(array[nullif(n * hopwhistle.duration_bucket(new_ring), 0), nullif(o * hopwhistle.duration_bucket(old_ring), 0)]::smallint[], null), '{}')
      end,
      case when n + o <> 0 or new_talk is distinct from old_talk then
        nullif(array_remove(array[nullif(n * hopwhistle.duration_bucket(new_talk), 0), nullif(o * hopwhistle.duration_bucket(old_talk), 0)]::smallint[], null), '{}')
      end,
      case when n = 1 then array[of_call] end,
      case when n = 1 then array[new_call.sequence] end);
    -- The call began earlier than was known, in another hour: there it no longer counts.
    exit when n = 0 or old_hour is null or old_hour = new_hour;
    in_hour := old_hour;
    n := 0;
    o := -1;
  end loop;

  insert into hopwhistle.outbox (tenant_id, event_ids, sequences)
  values (of_tenant, array[of_event], array[new_call.sequence])
  returning batch_id into batch;

  call_states := new_call.state::text;
  sequences := array[new_call.sequence];
  batch_ids := array[batch];
  batch_tenants := array[of_tenant];

  commit;
  -- Flushed, not inserted: what is not flushed may belong to another transaction and never reach a replica.
  commit_position := pg_current_wal_flush_lsn()::text;
end
$$;
