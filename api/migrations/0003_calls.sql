set local role hopwhistle_owner;

-- Text is compared byte by byte (collate "C"): faster, and the same order on every server and in Node.
-- States are numbers, the places in CALL_STATES of the contract:
--   0 INITIATED  1 RINGING  2 ANSWERED  3 COMPLETED  4 BUSY  5 NO_ANSWER  6 FAILED  7 CANCELED
-- The rank of a state is least(state, 3).

-- Every event as it came. Partitioned by hash of the event id and not by time, so that "the same event id is
-- stored once" is a constraint that the database keeps: see docs/decisions/0001-events-are-hash-partitioned.md.
create table hopwhistle.call_events (
  tenant_id uuid not null,
  occurred_at timestamptz not null,
  received_at timestamptz not null,
  state smallint not null,
  outcome smallint not null default 0,
  place smallint not null,
  direction smallint,
  event_id text collate "C" not null,
  call_id text collate "C" not null,
  from_number text collate "C",
  to_number text collate "C",
  metadata jsonb,
  constraint call_events_pkey primary key (event_id, tenant_id),
  constraint call_events_state check (state between 0 and 7),
  constraint call_events_outcome check (outcome between 0 and 1),
  constraint call_events_direction check (direction between 0 and 1)
) partition by hash (event_id);

comment on column hopwhistle.call_events.outcome is '0 applied, 1 late';
comment on column hopwhistle.call_events.place is 'its place in the batch it was committed with, from 1';
comment on column hopwhistle.call_events.direction is '0 inbound, 1 outbound';

do $$
begin
  for remainder in 0..7 loop
    -- Rows are only added, in number: vacuum by count and not by share, which would grow with the table.
    execute format(
      'create table hopwhistle.call_events_%s partition of hopwhistle.call_events for values with (modulus 8, remainder %s)
       with (autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000,
             autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 50000)',
      remainder, remainder);
  end loop;
end
$$;

-- A call's timeline.
create index call_events_call on hopwhistle.call_events (call_id, tenant_id);

-- A call as its events make it. Each time is the smallest occurred_at of the events of that rank.
-- previous_… is what the row was before it was last written: one upsert can so tell exactly what it changed,
-- on every version of Postgres, and the rollups' deltas come from nothing else.
-- Half of each page stays free, so that the updates of a call on its way stay on its page (HOT).
create table hopwhistle.calls (
  tenant_id uuid not null,
  started_at timestamptz not null,
  updated_at timestamptz not null,
  initiated_at timestamptz,
  ringing_at timestamptz,
  answered_at timestamptz,
  ended_at timestamptz,
  previous_started_at timestamptz,
  previous_initiated_at timestamptz,
  previous_ringing_at timestamptz,
  previous_answered_at timestamptz,
  previous_ended_at timestamptz,
  state smallint not null,
  previous_state smallint,
  direction smallint,
  previous_direction smallint,
  final_state smallint generated always as (case when state >= 3 then state end) stored,
  call_id text collate "C" not null,
  from_number text collate "C",
  to_number text collate "C",
  constraint calls_pkey primary key (call_id, tenant_id),
  constraint calls_state check (state between 0 and 7)
) with (
  fillfactor = 50,
  autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000,
  autovacuum_analyze_scale_factor = 0.05, autovacuum_analyze_threshold = 5000
);

comment on column hopwhistle.calls.final_state is
  'the state once it is terminal, else null: an index on it, unlike one on state, lets a call on its way be updated in place';

-- Every combination of filters is the beginning of an index that goes on in the order of the reports' pages, newest
-- first: what a filter leaves open of (final_state, direction) is enumerated, see calls-page-statement.ts. More
-- indexes would cost every write; wider ones hardly do, and none of these columns changes before a call has ended.
-- state = terminal: final_state = it. state = one on its way: final_state is null and state = it; those are few.
create index calls_started on hopwhistle.calls (tenant_id, started_at desc);
create index calls_final_state on hopwhistle.calls (tenant_id, final_state, direction, started_at desc);
create index calls_from on hopwhistle.calls (tenant_id, from_number, final_state, direction, started_at desc)
  where from_number is not null;
create index calls_to on hopwhistle.calls (tenant_id, to_number, final_state, direction, started_at desc)
  where to_number is not null;

-- What was committed and not yet known to be published live; see api/src/calls/outbox-sweeper.ts.
create table hopwhistle.outbox (
  batch_id bigint generated always as identity primary key,
  tenant_id uuid not null,
  created_at timestamptz not null default now(),
  event_ids text[] not null
) with (
  autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_analyze_threshold = 100000
);
-- Gone within a second: compressing it is not worth the time.
alter table hopwhistle.outbox alter column event_ids set storage external;
