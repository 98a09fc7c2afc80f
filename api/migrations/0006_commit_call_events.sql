set local role hopwhistle_owner;

-- Stores a batch of events and folds them into their calls, in the caller's transaction.
--
-- An event is given by the same index of each array; no (tenant, event id) may be there twice. Rows are written in
-- the order of (tenant, event) and then of (tenant, call), so that two batches queue for locks in one order and
-- cannot deadlock. Events are folded in the order of the arrays, which is the order they arrived in.
--
-- Answers for the events that were new: their places (from 1), and a character each of `outcomes` (0 applied,
-- 1 late) and of `call_states` (a digit), in the order of places; and one outbox row a tenant.
--
-- Plans: nothing is joined but the few hundred events with the few hundred calls they touched, by hash. Everything
-- else is insertion. The plan is made once a connection, whatever the tables hold, and the arrays' lengths do not matter.
create function hopwhistle.write_call_events(
  tenant_ids uuid[], event_ids text[], call_ids text[], states smallint[], occurred_ms bigint[], received_us bigint[],
  directions smallint[], from_numbers text[], to_numbers text[], metadatas text[],
  out places smallint[], out outcomes text, out call_states text, out batch_ids bigint[], out batch_tenants uuid[]
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
      tenant_id, event_id, call_id, state, occurred_at, received_at, direction, from_number, to_number, metadata, place)
    select tenant_id, event_id, call_id, state, to_timestamp(occurred / 1000.0::float8), to_timestamp(received / 1000000.0::float8),
      direction, from_number, to_number, metadata::jsonb, place
    from unnest(
      tenant_ids, event_ids, call_ids, states, occurred_ms, received_us, directions, from_numbers, to_numbers, metadatas
    ) with ordinality as given (
      tenant_id, event_id, call_id, state, occurred, received, direction, from_number, to_number, metadata, place)
    order by tenant_id, event_id collate "C"
    on conflict (tenant_id, event_id) do nothing
    returning tenant_id, event_id, call_id, state, occurred_at, received_at, direction, from_number, to_number, place
  ),
  -- prior_rank: how far the events before it in this batch take the call; null for the first.
  arrived as (
    select tenant_id, call_id, place, least(state, 3::smallint) as rank,
      max(least(state, 3::smallint)) over (
        partition by tenant_id, call_id order by place rows between unbounded preceding and 1 preceding) as prior_rank
    from fresh
  ),
  folded as (
    select tenant_id, call_id,
      -- The furthest rank, and the first of it to arrive: one number, largest wins, its last digit is the state.
      (max((least(state, 3) * 100000 + 99999 - place) * 8 + state) % 8)::smallint as state,
      min(occurred_at) as started_at,
      min(occurred_at) filter (where state = 0) as initiated_at,
      min(occurred_at) filter (where state = 1) as ringing_at,
      min(occurred_at) filter (where state = 2) as answered_at,
      min(occurred_at) filter (where state >= 3) as ended_at,
      max(received_at) as updated_at,
      min(direction) as direction,
      min(from_number) as from_number,
      min(to_number) as to_number
    from fresh
    group by tenant_id, call_id
  ),
  written as (
    insert into hopwhistle.calls as c (
      tenant_id, call_id, state, started_at, initiated_at, ringing_at, answered_at, ended_at, updated_at,
      direction, from_number, to_number)
    select tenant_id, call_id, state, started_at, initiated_at, ringing_at, answered_at, ended_at, updated_at,
      direction, from_number, to_number
    from folded
    order by tenant_id, call_id
    on conflict (tenant_id, call_id) do update set
      previous_state = c.state,
      previous_started_at = c.started_at,
      previous_initiated_at = c.initiated_at,
      previous_ringing_at = c.ringing_at,
      previous_answered_at = c.answered_at,
      previous_ended_at = c.ended_at,
      previous_direction = c.direction,
      state = case when least(excluded.state, 3) > c.state then excluded.state else c.state end,
      started_at = least(c.started_at, excluded.started_at),
      initiated_at = least(c.initiated_at, excluded.initiated_at),
      ringing_at = least(c.ringing_at, excluded.ringing_at),
      answered_at = least(c.answered_at, excluded.answered_at),
      ended_at = least(c.ended_at, excluded.ended_at),
      updated_at = greatest(c.updated_at, excluded.updated_at),
      direction = least(c.direction, excluded.direction),
      from_number = least(c.from_number, excluded.from_number),
      to_number = least(c.to_number, excluded.to_number)
    returning tenant_id, call_id, state, direction, started_at, initiated_at, ringing_at, answered_at, ended_at,
      previous_state, previous_direction, previous_started_at, previous_initiated_at, previous_ringing_at,
      previous_answered_at, previous_ended_at
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
  outboxed as (
    insert into hopwhistle.outbox (tenant_id, event_ids)
    select tenant_id, array_agg(event_id order by place) from fresh group by tenant_id
    returning batch_id, tenant_id
  ),
  answered as (
    select a.place, w.state::text as state,
      case when a.rank > coalesce(greatest(a.prior_rank, case when w.previous_state >= 3 then 3 else w.previous_state end), -1)
        then '0' else '1' end as outcome
    from arrived a join written w using (tenant_id, call_id)
  )
  select e.places, e.outcomes, e.call_states, b.batch_ids, b.batch_tenants
  from (
    select array_agg(place) as places, string_agg(outcome, '') as outcomes, string_agg(state, '') as call_states
    from (select * from answered order by place) in_order
  ) e,
  (select array_agg(batch_id) as batch_ids, array_agg(tenant_id) as batch_tenants from outboxed) b
  into places, outcomes, call_states, batch_ids, batch_tenants;
end
$$;

-- Commits a batch of events: what the API calls, once a batch.
--
-- Takes the arrays of write_call_events, the tenants that are in them, and the outbox rows that have been published
-- since and can go. Answers one character an event, in the order given:
--   outcomes     0 applied, 1 late, 2 duplicate, 5 conflict (stored before with other content);
--                3 applied, 4 late: stored before with this very received_at, so by an earlier attempt at this batch
--   call_states  the digit of the state of the event's call, as of this commit
-- and the WAL position from which on the batch can be read. Inside, it commits: it must not be called in a
-- transaction block. An error means that nothing of it was stored.
create procedure hopwhistle.commit_call_events(
  visible_tenants text,
  tenant_ids uuid[], event_ids text[], call_ids text[], states smallint[], occurred_ms bigint[], received_us bigint[],
  directions smallint[], from_numbers text[], to_numbers text[], metadatas text[], published bigint[],
  inout outcomes text, inout call_states text, inout batch_ids bigint[], inout batch_tenants uuid[], inout commit_position text
)
  language plpgsql
as $$
declare
  places smallint[];
  fresh_outcomes text;
  fresh_states text;
  at integer := 1;
  total integer := cardinality(event_ids);
  found_outcome text;
  found_state text;
begin
  perform set_config('hopwhistle.tenant_ids', visible_tenants, true);

  if cardinality(published) > 0 then
    perform hopwhistle.forget_published(published);
  end if;

  select w.places, w.outcomes, w.call_states, w.batch_ids, w.batch_tenants
  into places, fresh_outcomes, fresh_states, batch_ids, batch_tenants
  from hopwhistle.write_call_events(
    tenant_ids, event_ids, call_ids, states, occurred_ms, received_us, directions, from_numbers, to_numbers, metadatas) w;

  if coalesce(cardinality(places), 0) = total then
    outcomes := fresh_outcomes;
    call_states := fresh_states;
  else
    -- Some were stored before. That is rare: one by one, by primary key, whatever the plan of anything else is.
    outcomes := '';
    call_states := '';
    for i in 1..total loop
      if places[at] = i then
        outcomes := outcomes || substr(fresh_outcomes, at, 1);
        call_states := call_states || substr(fresh_states, at, 1);
        at := at + 1;
      else
        select
          case
            when e.call_id <> call_ids[i] or e.state <> states[i]
              or e.occurred_at <> to_timestamp(occurred_ms[i] / 1000.0::float8)
              or e.direction is distinct from directions[i]
              or e.from_number is distinct from from_numbers[i]
              or e.to_number is distinct from to_numbers[i]
              or e.metadata is distinct from metadatas[i]::jsonb then '5'
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

-- Locks batches that were committed a while ago and never reported as published, for whoever asks first.
create function hopwhistle.lock_stale_outbox(older_than interval, at_most integer)
  returns table (batch_id bigint, tenant_id uuid, event_ids text[], created_at timestamptz)
  language sql volatile security definer
  set search_path = pg_catalog
as $$
  select o.batch_id, o.tenant_id, o.event_ids, o.created_at
  from hopwhistle.outbox o
  where o.created_at < now() - older_than
  order by o.batch_id
  limit at_most
  for update skip locked
$$;

-- Deletes the outbox rows of batches that have been published. One that a sweeper has locked is the sweeper's to delete.
-- plpgsql and not sql, because it keeps its plan.
create function hopwhistle.forget_published(published bigint[]) returns void
  language plpgsql security definer
  set search_path = pg_catalog
  set plan_cache_mode = force_generic_plan
  set enable_seqscan = off
as $$
begin
  delete from hopwhistle.outbox
  where batch_id = any (array(
    select o.batch_id from hopwhistle.outbox o where o.batch_id = any (published) for update skip locked));
end
$$;

revoke all on function hopwhistle.write_call_events, hopwhistle.lock_stale_outbox, hopwhistle.forget_published from public;
revoke all on procedure hopwhistle.commit_call_events from public;
grant execute on function hopwhistle.write_call_events, hopwhistle.lock_stale_outbox, hopwhistle.forget_published
  to hopwhistle_api;
grant execute on procedure hopwhistle.commit_call_events to hopwhistle_api;
