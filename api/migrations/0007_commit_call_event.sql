set local role hopwhistle_owner;

-- Commits one event: what commit_call_events does for a batch of one, in a quarter of the time. An instance that is not
-- busy commits most events alone, and then nearly all of the time goes into setting up the batch's statement, which
-- opens every partition and has a dozen parts. Here each statement touches one row.
--
-- Takes the same, as single values, and answers the same. Also here: it commits, so it must not be called in a
-- transaction block, and an error means that nothing was stored.
create procedure hopwhistle.commit_call_event(
  of_tenant uuid, of_event text, of_call text, new_state smallint, occurred_ms bigint, received_us bigint,
  new_direction smallint, new_from text, new_to text, new_metadata text, published bigint[],
  inout outcomes text, inout call_states text, inout batch_ids bigint[], inout batch_tenants uuid[], inout commit_position text
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
    tenant_id, event_id, call_id, state, occurred_at, received_at, direction, from_number, to_number, metadata, place)
  values (
    of_tenant, of_event, of_call, new_state, occurred, received, new_direction, new_from, new_to, new_metadata::jsonb, 1)
  on conflict (tenant_id, event_id) do nothing;

  if not found then
    -- Stored before, which is rare: the batch's way finds out when and how.
    call hopwhistle.commit_call_events('{' || of_tenant || '}', array[of_tenant], array[of_event], array[of_call],
      array[new_state], array[occurred_ms], array[received_us], array[new_direction], array[new_from], array[new_to],
      array[new_metadata], '{}', outcomes, call_states, batch_ids, batch_tenants, commit_position);
    return;
  end if;

  insert into hopwhistle.calls as c (
    tenant_id, call_id, state, started_at, initiated_at, ringing_at, answered_at, ended_at, updated_at,
    direction, from_number, to_number)
  values (
    of_tenant, of_call, new_state, occurred,
    case when new_state = 0 then occurred end,
    case when new_state = 1 then occurred end,
    case when new_state = 2 then occurred end,
    case when new_state >= 3 then occurred end,
    received, new_direction, new_from, new_to)
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
  returning * into new_call;

  outcomes := '0';
  if least(new_state, 3) <= least(new_call.previous_state, 3) and new_call.previous_state is not null then
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

  insert into hopwhistle.outbox (tenant_id, event_ids) values (of_tenant, array[of_event])
  returning batch_id into batch;

  call_states := new_call.state::text;
  batch_ids := array[batch];
  batch_tenants := array[of_tenant];

  commit;
  -- Flushed, not inserted: what is not flushed may belong to another transaction and never reach a replica.
  commit_position := pg_current_wal_flush_lsn()::text;
end
$$;

revoke all on procedure hopwhistle.commit_call_event from public;
grant execute on procedure hopwhistle.commit_call_event to hopwhistle_api;
