-- The tables of a transaction for each request: call events and calls with the columns, constraints, indexes and storage
-- settings that the platform's tables had at commit 7bb82c8, without row-level security and without the columns that only
-- the platform's rollups and batches used. They are kept here so that this peer stays the same when the platform's change.

create extension if not exists pg_stat_statements;

create schema naive;

create table naive.call_events (
  tenant_id uuid not null,
  occurred_at timestamptz not null,
  received_at timestamptz not null,
  state smallint not null check (state between 0 and 7),
  direction smallint check (direction between 0 and 1),
  event_id text collate "C" not null,
  call_id text collate "C" not null,
  from_number text collate "C",
  to_number text collate "C",
  metadata jsonb,
  primary key (event_id, tenant_id)
) partition by hash (event_id);

do $$
begin
  for remainder in 0..7 loop
    execute format(
      'create table naive.call_events_%s partition of naive.call_events for values with (modulus 8, remainder %s)
       with (autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000,
             autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 50000)',
      remainder, remainder);
  end loop;
end
$$;

create index call_events_call on naive.call_events (call_id, tenant_id);

create table naive.calls (
  tenant_id uuid not null,
  started_at timestamptz not null,
  updated_at timestamptz not null,
  initiated_at timestamptz,
  ringing_at timestamptz,
  answered_at timestamptz,
  ended_at timestamptz,
  state smallint not null check (state between 0 and 7),
  direction smallint,
  final_state smallint generated always as (case when state >= 3 then state end) stored,
  call_id text collate "C" not null,
  from_number text collate "C",
  to_number text collate "C",
  primary key (call_id, tenant_id)
) with (
  fillfactor = 50,
  autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000,
  autovacuum_analyze_scale_factor = 0.05, autovacuum_analyze_threshold = 5000
);

create index calls_started on naive.calls (tenant_id, started_at desc);
create index calls_final_state on naive.calls (tenant_id, final_state, direction, started_at desc);
create index calls_from on naive.calls (tenant_id, from_number, final_state, direction, started_at desc)
  where from_number is not null;
create index calls_to on naive.calls (tenant_id, to_number, final_state, direction, started_at desc)
  where to_number is not null;
