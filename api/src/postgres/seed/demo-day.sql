-- A day of the demo: the calls that began in [$2, $3), with what has happened by $1.
-- Calls are folded from the events that were stored, by the rules of fold-call.ts, and what they count for is left to
-- fold_call_metrics(), so that events, calls and rollups agree. Each event was received a moment after it occurred.
with stored as (
  insert into hopwhistle.call_events (
    tenant_id, event_id, call_id, state, occurred_at, received_at, direction, from_number, to_number, metadata, place)
  select tenant_id, call_id || '-' || step, call_id, state, at, at + (20 + abs(hashtext(call_id || step)) % 200) * interval '1 millisecond',
    case when step = 1 then direction end,
    case when step = 1 then from_number end,
    case when step = 1 then to_number end,
    -- Campaign and source come with the first event, the agent with the answer.
    case
      when step = 1 and labels - 'agent' <> '{}' then jsonb_build_array(labels - 'agent', jsonb_build_object('queue', queue))
      when step = 1 then jsonb_build_object('queue', queue)
      when step = 3 and labels ? 'agent' then jsonb_build_array(jsonb_build_object('agent', labels -> 'agent'), null)
    end,
    1
  from demo_calls,
    lateral (values
      (1, 0::smallint, initiated_at), (2, 1::smallint, ringing_at), (3, 2::smallint, answered_at), (4, final_state, ended_at)
    ) as steps (step, state, at)
  where initiated_at >= $2 and initiated_at < $3 and at <= $1
  order by call_id, step
  returning tenant_id, call_id, state, occurred_at, received_at, direction, from_number, to_number, metadata -> 0 as labels
),
folded as (
  insert into hopwhistle.calls (
    tenant_id, call_id, state, started_at, initiated_at, ringing_at, answered_at, ended_at, updated_at, direction, from_number,
    to_number, talk_ms, labels)
  select tenant_id, call_id, max(state), min(occurred_at),
    min(occurred_at) filter (where state = 0),
    min(occurred_at) filter (where state = 1),
    min(occurred_at) filter (where state = 2),
    min(occurred_at) filter (where state >= 3),
    max(received_at), min(direction), min(from_number), min(to_number),
    hopwhistle.elapsed_ms(min(occurred_at) filter (where state = 2), min(occurred_at) filter (where state >= 3)),
    -- No two events of a call have the same label.
    nullif(coalesce((array_agg(labels) filter (where state = 0))[1], '{}')
      || coalesce((array_agg(labels) filter (where state = 2))[1], '{}'), '{}')
  from stored
  group by tenant_id, call_id
  order by min(occurred_at)
  returning tenant_id, call_id, sequence, state, direction, started_at, answered_at,
    hopwhistle.elapsed_ms(least(initiated_at, ringing_at), answered_at) as ring_ms,
    hopwhistle.elapsed_ms(answered_at, ended_at) as talk_ms
)
insert into hopwhistle.call_metrics_pending (
  tenant_id, hour, calls, initiated, ringing, answered, completed, busy, no_answer, failed, canceled,
  inbound, outbound, connected, ring_count, talk_count, ring_total_ms, talk_total_ms, ring_entries, talk_entries,
  changed_calls, changed_sequences)
select tenant_id, date_bin('15 minutes', started_at, '2000-01-01T00:00:00Z'),
  count(*),
  count(*) filter (where state = 0),
  count(*) filter (where state = 1),
  count(*) filter (where state = 2),
  count(*) filter (where state = 3),
  count(*) filter (where state = 4),
  count(*) filter (where state = 5),
  count(*) filter (where state = 6),
  count(*) filter (where state = 7),
  count(*) filter (where direction = 0),
  count(*) filter (where direction = 1),
  count(answered_at),
  count(ring_ms),
  count(talk_ms),
  coalesce(sum(ring_ms), 0),
  coalesce(sum(talk_ms), 0),
  array_agg(hopwhistle.duration_bucket(ring_ms)) filter (where ring_ms is not null),
  array_agg(hopwhistle.duration_bucket(talk_ms)) filter (where talk_ms is not null),
  -- The feed of changes has the last day.
  array_agg(call_id) filter (where started_at > $1 - interval '1 day'),
  array_agg(sequence) filter (where started_at > $1 - interval '1 day')
from folded
group by 1, 2
