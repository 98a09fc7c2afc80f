-- One result from any set of events, whatever the order in which they come; what a call's live messages are put in order
-- by; and two things that make writing cheaper.

-- A table a step: events are written to all three, and two exclusive locks at once would deadlock with them.
-- step
set local role hopwhistle_owner;
alter table hopwhistle.outbox add column if not exists sequences integer[];
comment on column hopwhistle.outbox.sequences is 'of event_ids: which event of its call each was, in the order of commit';

-- step
set local role hopwhistle_owner;
alter table hopwhistle.calls
  add column if not exists progress bigint,
  add column if not exists previous_progress bigint,
  add column if not exists sequence integer;
comment on column hopwhistle.calls.progress is 'the largest progress of its events, which decides its state; null: last written before it was kept';
comment on column hopwhistle.calls.sequence is 'how many events it has: the sequence of the last one committed; null before it was counted';

-- step
set local role hopwhistle_owner;
alter table hopwhistle.call_events add column if not exists corrects boolean;
comment on column hopwhistle.call_events.corrects is 'true: its state replaces a wrong final state';

-- step
set local role hopwhistle_owner;

-- Postgres makes the check constraints of a table from their text again in every statement that writes to it, once for
-- each partition: 15 to 20 % of a batch. The checks of a domain are kept for as long as a connection. The functions below
-- cast to them; the columns stay as they are, for a column that became a domain with a check would rewrite its table.
do $$
begin
  create domain hopwhistle.call_state as smallint check (value between 0 and 7);
  create domain hopwhistle.call_direction as smallint check (value between 0 and 1);
exception when duplicate_object then
  null;
end
$$;
grant usage on domain hopwhistle.call_state, hopwhistle.call_direction to hopwhistle_api;

-- How far an event takes its call. Of any set of events the largest decides the state, so that their order does not matter:
--   below 8     the state, on its way
--   below 2^52  a terminal state: the one that occurred first, then the one with the largest number
--   above 2^52  corrected: by the correction that occurred last, then the one with the largest number
-- The last three bits are the state. Times are unique to the millisecond.
--
-- The API computes it: see api/src/calls/progress.ts. This function is for calls that were written before progress was
-- stored, when there were no corrections. It is in plpgsql, which Postgres does not inline: inlined, its expressions were
-- set up in every statement, which took 20 % of a batch's time.
create or replace function hopwhistle.progress_before(state smallint, ended_at timestamptz) returns bigint
  language plpgsql immutable parallel safe
as $$
begin
  return case
    when state < 3 then state
    else 4503599627370496 - (pg_catalog.date_part('epoch', ended_at) * 1000)::bigint * 8 + state
  end;
end
$$;

-- A commit waits for synchronous replicas only if it wrote something. An event that was found stored may still lack on
-- them, when the wait of the commit that stored it was cut short: so this one writes, and waits for what it wrote.
create or replace function hopwhistle.wait_for_replication() returns void
  language sql
  set search_path = pg_catalog
as $$
  select pg_logical_emit_message(true, 'hopwhistle', '')
  where current_setting('synchronous_standby_names') <> ''
$$;

-- As in 0006, and
--   progresses   how far each event takes its call: see progress_before
--   corrections  true for an event that corrects a final state, else null
--   sequences    for each event that was new: which event of its call it is, in the order of commit, from 1
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
      progress, updated_at, direction, from_number, to_number, sequence)
    select tenant_id, call_id, (progress & 7)::smallint, started_at, initiated_at, ringing_at, answered_at, ended_at, progress,
      updated_at, direction, from_number, to_number, events
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
      sequence = coalesce(c.sequence, 0) + excluded.sequence
    returning tenant_id, call_id, state, direction, started_at, initiated_at, ringing_at, answered_at, ended_at,
      previous_state, previous_direction, previous_started_at, previous_initiated_at, previous_ringing_at,
      previous_answered_at, previous_ended_at, previous_progress, sequence
  ),
  measured as (
    select tenant_id, state, direction, answered_at,
      date_trunc('hour', started_at, 'UTC') as hour,
      hopwhistle.elapsed_ms(least(initiated_at, ringing_at), answered_at) as ring_ms,
      hopwhistle.elapsed_ms(answered_at, ended_at) as talk_ms,
      previous_state, previous_direction, previous_answered_at,
      date_trunc('hour', previous_started_at, 'UTC') as previous_hour,
      hopwhistle.elapsed_ms(least(previous_initiated_at, previous_ringing_at), previous_answered_at) as previous_ring_ms,
      hopwhistle.elapsed_ms(previous_answered_at, previous_ended_at) as previous_talk_ms
    from written
  ),
  -- What each call counts for now, and what it no longer counts for. A duration that stays where it is would add an
  -- entry and take it away again.
  changes as (
    select tenant_id, hour, 1 as n, state, direction, answered_at, ring_ms, talk_ms,
      hour is distinct from previous_hour or ring_ms is distinct from previous_ring_ms as other_ring,
      hour is distinct from previous_hour or talk_ms is distinct from previous_talk_ms as other_talk
    from measured
    union all
    select tenant_id, previous_hour, -1, previous_state, previous_direction, previous_answered_at, previous_ring_ms,
      previous_talk_ms,
      hour is distinct from previous_hour or ring_ms is distinct from previous_ring_ms,
      hour is distinct from previous_hour or talk_ms is distinct from previous_talk_ms
    from measured
    where previous_state is not null
  ),
  pending as (
    insert into hopwhistle.call_metrics_pending (
      tenant_id, hour, calls, initiated, ringing, answered, completed, busy, no_answer, failed, canceled,
      inbound, outbound, connected, ring_count, talk_count, ring_total_ms, talk_total_ms, ring_entries, talk_entries)
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
      array_agg((n * hopwhistle.duration_bucket(talk_ms))::smallint) filter (where talk_ms is not null and other_talk)
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

-- As in 0006, with the corrections, and with the sequence of each event that this call added (null for the others).
create or replace procedure hopwhistle.commit_call_events(
  visible_tenants text,
  tenant_ids uuid[], event_ids text[], call_ids text[], states smallint[], occurred_ms bigint[], received_us bigint[],
  directions smallint[], from_numbers text[], to_numbers text[], metadatas text[], corrections boolean[],
  progresses bigint[], published bigint[],
  inout outcomes text, inout call_states text, inout sequences integer[], inout batch_ids bigint[], inout batch_tenants uuid[], inout commit_position text
)
  language plpgsql
as $$
declare
  places smallint[];
  fresh_outcomes text;
  fresh_states text;
  fresh_sequences integer[];
  at integer := 1;
  total integer := cardinality(event_ids);
  found_outcome text;
  found_state text;
begin
  perform set_config('hopwhistle.tenant_ids', visible_tenants, true);

  if cardinality(published) > 0 then
    perform hopwhistle.forget_published(published);
  end if;

  select w.places, w.outcomes, w.call_states, w.sequences, w.batch_ids, w.batch_tenants
  into places, fresh_outcomes, fresh_states, fresh_sequences, batch_ids, batch_tenants
  from hopwhistle.write_call_events(
    tenant_ids, event_ids, call_ids, states, occurred_ms, received_us, directions, from_numbers, to_numbers, metadatas,
    corrections, progresses) w;

  if coalesce(cardinality(places), 0) = total then
    outcomes := fresh_outcomes;
    call_states := fresh_states;
    sequences := fresh_sequences;
  else
    -- Some were stored before. That is rare: one by one, by primary key, whatever the plan of anything else is.
    outcomes := '';
    call_states := '';
    sequences := '{}';
    perform hopwhistle.wait_for_replication();
    for i in 1..total loop
      if places[at] = i then
        outcomes := outcomes || substr(fresh_outcomes, at, 1);
        call_states := call_states || substr(fresh_states, at, 1);
        sequences := sequences || fresh_sequences[at];
        at := at + 1;
      else
        select
          case
            when e.call_id <> call_ids[i] or e.state <> states[i]
              or e.occurred_at <> to_timestamp(occurred_ms[i] / 1000.0::float8)
              or e.direction is distinct from directions[i]
              or e.from_number is distinct from from_numbers[i]
              or e.to_number is distinct from to_numbers[i]
              or e.metadata is distinct from metadatas[i]::jsonb
              or e.corrects is distinct from corrections[i] then '5'
            when e.received_at = to_timestamp(received_us[i] / 1000000.0::float8) then (3 + e.outcome)::text
            else '2'
          end,
          c.state::text
        into found_outcome, found_state
        from hopwhistle.call_events e
        left join hopwhistle.calls c on c.tenant_id = e.tenant_id and c.call_id = e.call_id
        where e.tenant_id = tenant_ids[i] and e.event_id = event_ids[i];
        outcomes := outcomes || coalesce(found_outcome, '?');
        call_states := call_states || coalesce(found_state, '?');
        sequences := sequences || null::integer;
      end if;
    end loop;
  end if;

  if position('1' in fresh_outcomes) > 0 then
    for i in 1..cardinality(places) loop
      if substr(fresh_outcomes, i, 1) = '1' then
        update hopwhistle.call_events e set outcome = 1
        where e.tenant_id = tenant_ids[places[i]] and e.event_id = event_ids[places[i]];
      end if;
    end loop;
  end if;

  commit;
  -- Flushed, not inserted: what is not flushed may belong to another transaction and never reach a replica.
  commit_position := pg_current_wal_flush_lsn()::text;
end
$$;

-- As in 0007, likewise.
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
    sequence = coalesce(c.sequence, 0) + 1
  returning * into new_call;

  outcomes := '0';
  if new_progress <= new_call.previous_progress then
    outcomes := '1';
    update hopwhistle.call_events e set outcome = 1 where e.tenant_id = of_tenant and e.event_id = of_event;
  end if;

  new_hour := date_trunc('hour', new_call.started_at, 'UTC');
  new_ring := hopwhistle.elapsed_ms(least(new_call.initiated_at, new_call.ringing_at), new_call.answered_at);
  new_talk := hopwhistle.elapsed_ms(new_call.answered_at, new_call.ended_at);
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
      inbound, outbound, connected, ring_count, talk_count, ring_total_ms, talk_total_ms, ring_entries, talk_entries)
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
      end);
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

-- For instances of the version before, which run until the last of them is replaced; and the first of the three for what
-- they have under way at this very moment.
create or replace function hopwhistle.progresses_before(states smallint[], occurred_ms bigint[]) returns bigint[]
  language sql immutable parallel safe
return array(
  select hopwhistle.progress_before(state, to_timestamp(occurred / 1000.0::float8))
  from unnest(states, occurred_ms) with ordinality as given (state, occurred, place)
  order by place);

create or replace function hopwhistle.write_call_events(
  tenant_ids uuid[], event_ids text[], call_ids text[], states smallint[], occurred_ms bigint[], received_us bigint[],
  directions smallint[], from_numbers text[], to_numbers text[], metadatas text[],
  out places smallint[], out outcomes text, out call_states text, out batch_ids bigint[], out batch_tenants uuid[]
)
  language plpgsql
  set search_path = pg_catalog
as $$
begin
  select w.places, w.outcomes, w.call_states, w.batch_ids, w.batch_tenants
  into places, outcomes, call_states, batch_ids, batch_tenants
  from hopwhistle.write_call_events(
    tenant_ids, event_ids, call_ids, states, occurred_ms, received_us, directions, from_numbers, to_numbers, metadatas,
    array_fill(null::boolean, array[cardinality(event_ids)]), hopwhistle.progresses_before(states, occurred_ms)) w;
end
$$;

create or replace procedure hopwhistle.commit_call_events(
  visible_tenants text,
  tenant_ids uuid[], event_ids text[], call_ids text[], states smallint[], occurred_ms bigint[], received_us bigint[],
  directions smallint[], from_numbers text[], to_numbers text[], metadatas text[], published bigint[],
  inout outcomes text, inout call_states text, inout batch_ids bigint[], inout batch_tenants uuid[], inout commit_position text
)
  language plpgsql
as $$
declare
  sequences integer[];
begin
  call hopwhistle.commit_call_events(visible_tenants, tenant_ids, event_ids, call_ids, states, occurred_ms, received_us,
    directions, from_numbers, to_numbers, metadatas, array_fill(null::boolean, array[cardinality(event_ids)]),
    hopwhistle.progresses_before(states, occurred_ms), published,
    outcomes, call_states, sequences, batch_ids, batch_tenants, commit_position);
end
$$;

create or replace procedure hopwhistle.commit_call_event(
  of_tenant uuid, of_event text, of_call text, new_state smallint, occurred_ms bigint, received_us bigint,
  new_direction smallint, new_from text, new_to text, new_metadata text, published bigint[],
  inout outcomes text, inout call_states text, inout batch_ids bigint[], inout batch_tenants uuid[], inout commit_position text
)
  language plpgsql
as $$
declare
  sequences integer[];
begin
  call hopwhistle.commit_call_event(of_tenant, of_event, of_call, new_state, occurred_ms, received_us, new_direction,
    new_from, new_to, new_metadata, null::boolean,
    hopwhistle.progress_before(new_state, to_timestamp(occurred_ms / 1000.0::float8)), published,
    outcomes, call_states, sequences, batch_ids, batch_tenants, commit_position);
end
$$;

-- As in 0006, with the sequences.
drop function if exists hopwhistle.lock_stale_outbox(interval, integer);
create function hopwhistle.lock_stale_outbox(older_than interval, at_most integer)
  returns table (batch_id bigint, tenant_id uuid, event_ids text[], sequences integer[], created_at timestamptz)
  language sql volatile security definer
  set search_path = pg_catalog
as $$
  select o.batch_id, o.tenant_id, o.event_ids, o.sequences, o.created_at
  from hopwhistle.outbox o
  where o.created_at < now() - older_than
  order by o.batch_id
  limit at_most
  for update skip locked
$$;

do $$
declare
  routine regprocedure;
begin
  for routine in
    select p.oid
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'hopwhistle'
      and p.proname in ('write_call_events', 'commit_call_events', 'commit_call_event', 'lock_stale_outbox', 'wait_for_replication')
  loop
    execute format('revoke all on routine %s from public', routine);
    execute format('grant execute on routine %s to hopwhistle_api', routine);
  end loop;
end
$$;

-- From here on the functions check.
-- step
set local role hopwhistle_owner;
alter table hopwhistle.call_events
  drop constraint if exists call_events_state,
  drop constraint if exists call_events_outcome,
  drop constraint if exists call_events_direction;

-- step
set local role hopwhistle_owner;
alter table hopwhistle.calls drop constraint if exists calls_state;
