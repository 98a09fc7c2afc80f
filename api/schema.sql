-- Written by npm run db:dump:schema. Migrations make it; this shows what they have made.

-- Roles and their memberships

create role hopwhistle_api;

create role hopwhistle_monitor;
grant pg_monitor to hopwhistle_monitor;

create role hopwhistle_owner;

create role hopwhistle_replication;

-- Tables

create table hopwhistle.api_keys (
  id uuid default gen_random_uuid() not null,
  tenant_id uuid not null,
  name text not null,
  key_hash bytea not null,
  scopes text[] not null,
  created_at timestamp with time zone default now() not null,
  revoked_at timestamp with time zone,
  events_per_second integer,
  expires_at timestamp with time zone,
  last_used_at timestamp with time zone,
  replaces uuid,
  constraint api_keys_key_hash_key UNIQUE (key_hash),
  constraint api_keys_pkey PRIMARY KEY (id),
  constraint api_keys_replaces_fkey FOREIGN KEY (replaces) REFERENCES hopwhistle.api_keys(id) ON DELETE SET NULL,
  constraint api_keys_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES hopwhistle.tenants(id) ON DELETE CASCADE,
  constraint api_keys_events_per_second_is_positive CHECK ((events_per_second > 0)),
  constraint api_keys_key_hash_is_sha256 CHECK ((octet_length(key_hash) = 32))
);

create table hopwhistle.browser_tokens (
  token_hash bytea not null,
  key_id uuid not null,
  scopes text[] not null,
  ends_at timestamp with time zone not null,
  constraint browser_tokens_pkey PRIMARY KEY (token_hash),
  constraint browser_tokens_key_id_fkey FOREIGN KEY (key_id) REFERENCES hopwhistle.api_keys(id) ON DELETE CASCADE,
  constraint browser_tokens_token_hash_is_sha256 CHECK ((octet_length(token_hash) = 32))
);

create table hopwhistle.call_changes (
  tenant_id uuid not null,
  change_id bigint generated always as identity not null,
  folded_at timestamp with time zone default clock_timestamp() not null,
  call_ids text[] collate "C" not null,
  sequences integer[] not null,
  constraint call_changes_pkey PRIMARY KEY (tenant_id, change_id)
) with (autovacuum_vacuum_insert_scale_factor=0, autovacuum_vacuum_insert_threshold=100000);

create table hopwhistle.call_changes_kept (
  only_row boolean default true not null,
  since timestamp with time zone not null,
  constraint call_changes_kept_pkey PRIMARY KEY (only_row),
  constraint call_changes_kept_only_row CHECK (only_row)
);

create table hopwhistle.call_events (
  tenant_id uuid not null,
  occurred_at timestamp with time zone not null,
  received_at timestamp with time zone not null,
  state smallint not null,
  outcome smallint default 0 not null,
  place smallint not null,
  direction smallint,
  event_id text collate "C" not null,
  call_id text collate "C" not null,
  from_number text collate "C",
  to_number text collate "C",
  metadata jsonb,
  corrects boolean,
  constraint call_events_pkey PRIMARY KEY (event_id, tenant_id)
) partition by hash (event_id);

create table hopwhistle.call_metrics_daily (
  tenant_id uuid not null,
  day timestamp with time zone not null,
  calls bigint not null,
  initiated bigint not null,
  ringing bigint not null,
  answered bigint not null,
  completed bigint not null,
  busy bigint not null,
  no_answer bigint not null,
  failed bigint not null,
  canceled bigint not null,
  inbound bigint not null,
  outbound bigint not null,
  connected bigint not null,
  ring_count bigint not null,
  talk_count bigint not null,
  ring_total_ms bigint not null,
  talk_total_ms bigint not null,
  ring_p50_ms double precision,
  ring_p95_ms double precision,
  ring_p99_ms double precision,
  talk_p50_ms double precision,
  talk_p95_ms double precision,
  talk_p99_ms double precision,
  ring_buckets smallint[] not null,
  ring_counts bigint[] not null,
  talk_buckets smallint[] not null,
  talk_counts bigint[] not null,
  body text generated always as ((((((((((((((((((((((((((((((((((((((((((((('"calls":'::text || (calls)::text) || ',"connected":'::text) || (connected)::text) || ',"inbound":'::text) || (inbound)::text) || ',"outbound":'::text) || (outbound)::text) || ',"states":{"INITIATED":'::text) || (initiated)::text) || ',"RINGING":'::text) || (ringing)::text) || ',"ANSWERED":'::text) || (answered)::text) || ',"COMPLETED":'::text) || (completed)::text) || ',"BUSY":'::text) || (busy)::text) || ',"NO_ANSWER":'::text) || (no_answer)::text) || ',"FAILED":'::text) || (failed)::text) || ',"CANCELED":'::text) || (canceled)::text) || '},"ring":{"count":'::text) || (ring_count)::text) || ',"averageMs":'::text) || COALESCE(((((ring_total_ms)::double precision / (NULLIF(ring_count, 0))::double precision))::bigint)::text, 'null'::text)) || ',"p50Ms":'::text) || COALESCE(((ring_p50_ms)::bigint)::text, 'null'::text)) || ',"p95Ms":'::text) || COALESCE(((ring_p95_ms)::bigint)::text, 'null'::text)) || ',"p99Ms":'::text) || COALESCE(((ring_p99_ms)::bigint)::text, 'null'::text)) || '},"talk":{"count":'::text) || (talk_count)::text) || ',"averageMs":'::text) || COALESCE(((((talk_total_ms)::double precision / (NULLIF(talk_count, 0))::double precision))::bigint)::text, 'null'::text)) || ',"p50Ms":'::text) || COALESCE(((talk_p50_ms)::bigint)::text, 'null'::text)) || ',"p95Ms":'::text) || COALESCE(((talk_p95_ms)::bigint)::text, 'null'::text)) || ',"p99Ms":'::text) || COALESCE(((talk_p99_ms)::bigint)::text, 'null'::text)) || '}'::text)) stored storage plain,
  ring_histogram bytea,
  talk_histogram bytea,
  constraint call_metrics_daily_pkey PRIMARY KEY (tenant_id, day)
) with (fillfactor=50, autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=500);

create table hopwhistle.call_metrics_hourly (
  tenant_id uuid not null,
  hour timestamp with time zone not null,
  calls bigint not null,
  initiated bigint not null,
  ringing bigint not null,
  answered bigint not null,
  completed bigint not null,
  busy bigint not null,
  no_answer bigint not null,
  failed bigint not null,
  canceled bigint not null,
  inbound bigint not null,
  outbound bigint not null,
  connected bigint not null,
  ring_count bigint not null,
  talk_count bigint not null,
  ring_total_ms bigint not null,
  talk_total_ms bigint not null,
  ring_p50_ms double precision,
  ring_p95_ms double precision,
  ring_p99_ms double precision,
  talk_p50_ms double precision,
  talk_p95_ms double precision,
  talk_p99_ms double precision,
  ring_buckets smallint[] not null,
  ring_counts bigint[] not null,
  talk_buckets smallint[] not null,
  talk_counts bigint[] not null,
  body text generated always as ((((((((((((((((((((((((((((((((((((((((((((('"calls":'::text || (calls)::text) || ',"connected":'::text) || (connected)::text) || ',"inbound":'::text) || (inbound)::text) || ',"outbound":'::text) || (outbound)::text) || ',"states":{"INITIATED":'::text) || (initiated)::text) || ',"RINGING":'::text) || (ringing)::text) || ',"ANSWERED":'::text) || (answered)::text) || ',"COMPLETED":'::text) || (completed)::text) || ',"BUSY":'::text) || (busy)::text) || ',"NO_ANSWER":'::text) || (no_answer)::text) || ',"FAILED":'::text) || (failed)::text) || ',"CANCELED":'::text) || (canceled)::text) || '},"ring":{"count":'::text) || (ring_count)::text) || ',"averageMs":'::text) || COALESCE(((((ring_total_ms)::double precision / (NULLIF(ring_count, 0))::double precision))::bigint)::text, 'null'::text)) || ',"p50Ms":'::text) || COALESCE(((ring_p50_ms)::bigint)::text, 'null'::text)) || ',"p95Ms":'::text) || COALESCE(((ring_p95_ms)::bigint)::text, 'null'::text)) || ',"p99Ms":'::text) || COALESCE(((ring_p99_ms)::bigint)::text, 'null'::text)) || '},"talk":{"count":'::text) || (talk_count)::text) || ',"averageMs":'::text) || COALESCE(((((talk_total_ms)::double precision / (NULLIF(talk_count, 0))::double precision))::bigint)::text, 'null'::text)) || ',"p50Ms":'::text) || COALESCE(((talk_p50_ms)::bigint)::text, 'null'::text)) || ',"p95Ms":'::text) || COALESCE(((talk_p95_ms)::bigint)::text, 'null'::text)) || ',"p99Ms":'::text) || COALESCE(((talk_p99_ms)::bigint)::text, 'null'::text)) || '}'::text)) stored storage plain,
  ring_histogram bytea,
  talk_histogram bytea,
  constraint call_metrics_hourly_pkey PRIMARY KEY (tenant_id, hour)
) with (fillfactor=50, autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=500);

create table hopwhistle.call_metrics_pending (
  tenant_id uuid not null,
  hour timestamp with time zone not null,
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
  ring_entries smallint[],
  talk_entries smallint[],
  changed_calls text[] collate "C" storage external,
  changed_sequences integer[]
) with (autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=2000, autovacuum_analyze_threshold=100000);

create table hopwhistle.call_metrics_quarterly (
  tenant_id uuid not null,
  quarter timestamp with time zone not null,
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
  counts text collate "C" generated always as ((((((((((((((((((((((((((((((((calls)::text || ','::text) || (initiated)::text) || ','::text) || (ringing)::text) || ','::text) || (answered)::text) || ','::text) || (completed)::text) || ','::text) || (busy)::text) || ','::text) || (no_answer)::text) || ','::text) || (failed)::text) || ','::text) || (canceled)::text) || ','::text) || (inbound)::text) || ','::text) || (outbound)::text) || ','::text) || (connected)::text) || ','::text) || (ring_count)::text) || ','::text) || (talk_count)::text) || ','::text) || (ring_total_ms)::text) || ','::text) || (talk_total_ms)::text)) stored,
  constraint call_metrics_quarterly_pkey PRIMARY KEY (tenant_id, quarter)
) with (fillfactor=70, autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=2000);

create table hopwhistle.calls (
  tenant_id uuid not null,
  started_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  initiated_at timestamp with time zone,
  ringing_at timestamp with time zone,
  answered_at timestamp with time zone,
  ended_at timestamp with time zone,
  previous_started_at timestamp with time zone,
  previous_initiated_at timestamp with time zone,
  previous_ringing_at timestamp with time zone,
  previous_answered_at timestamp with time zone,
  previous_ended_at timestamp with time zone,
  state smallint not null,
  previous_state smallint,
  direction smallint,
  previous_direction smallint,
  final_state smallint generated always as (
CASE
    WHEN (state >= 3) THEN state
    ELSE NULL::smallint
END) stored,
  call_id text collate "C" not null,
  from_number text collate "C",
  to_number text collate "C",
  progress bigint,
  previous_progress bigint,
  sequence integer,
  talk_ms bigint,
  labels jsonb,
  constraint calls_pkey PRIMARY KEY (call_id, tenant_id)
) with (fillfactor=50, autovacuum_vacuum_scale_factor=0.02, autovacuum_vacuum_threshold=5000, autovacuum_analyze_scale_factor=0.05, autovacuum_analyze_threshold=5000);

create table hopwhistle.erasures (
  id uuid not null,
  kind text not null,
  tenant_id uuid,
  subject text not null,
  salt bytea default sha256(uuid_send(gen_random_uuid())) not null,
  asked_by text not null,
  erased_at timestamp with time zone default now() not null,
  events bigint default 0 not null,
  calls bigint default 0 not null,
  constraint erasures_pkey PRIMARY KEY (id),
  constraint erasures_kind CHECK ((kind = ANY (ARRAY['number'::text, 'call'::text, 'tenant'::text])))
);

create table hopwhistle.events_aside (
  tenant_id uuid not null,
  event_id text collate "C" not null,
  received_at timestamp with time zone default now() not null,
  body jsonb not null,
  constraint events_aside_pkey PRIMARY KEY (tenant_id, event_id)
);

create table hopwhistle.key_audit (
  id bigint generated always as identity not null,
  at timestamp with time zone default now() not null,
  action text not null,
  key_id uuid not null,
  tenant_id uuid not null,
  by_whom text,
  by_role text default SESSION_USER not null,
  ends_at timestamp with time zone,
  replaces uuid,
  constraint key_audit_pkey PRIMARY KEY (id),
  constraint key_audit_action_is_known CHECK ((action = ANY (ARRAY['made'::text, 'rotated'::text, 'ended'::text, 'restored'::text, 'deleted'::text, 'callback made'::text, 'callback ended'::text, 'callback deleted'::text])))
);

create unlogged table hopwhistle.labels_to_fold (
  id bigint generated always as identity not null,
  tenant_ids uuid[] not null,
  call_ids text[] not null,
  constraint labels_to_fold_pkey PRIMARY KEY (id)
) with (autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=1000, autovacuum_analyze_threshold=100000);

create table hopwhistle.migrations (
  name text not null,
  checksum text not null,
  applied_at timestamp with time zone default now() not null,
  constraint migrations_pkey PRIMARY KEY (name)
);

create table hopwhistle.outbox (
  batch_id bigint generated always as identity not null,
  tenant_id uuid not null,
  created_at timestamp with time zone default now() not null,
  event_ids text[] not null storage external,
  sequences integer[],
  constraint outbox_pkey PRIMARY KEY (batch_id)
) with (autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=1000, autovacuum_analyze_threshold=100000);

create table hopwhistle.provider_callbacks (
  id uuid default gen_random_uuid() not null,
  tenant_id uuid not null,
  provider text not null,
  name text not null,
  callback_hash bytea not null,
  sealed_secret bytea not null,
  made_at timestamp with time zone default now() not null,
  ended_at timestamp with time zone,
  constraint provider_callbacks_callback_hash_key UNIQUE (callback_hash),
  constraint provider_callbacks_pkey PRIMARY KEY (id),
  constraint provider_callbacks_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES hopwhistle.tenants(id) ON DELETE CASCADE,
  constraint provider_callbacks_hash_is_sha256 CHECK ((octet_length(callback_hash) = 32))
);

create table hopwhistle.quarters_since (
  tenant_id uuid not null,
  since timestamp with time zone not null,
  written_since timestamp with time zone default now() not null,
  complete boolean default false not null,
  constraint quarters_since_pkey PRIMARY KEY (tenant_id),
  constraint quarters_since_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES hopwhistle.tenants(id) ON DELETE CASCADE
);

create table hopwhistle.retention (
  only_row boolean default true not null,
  at_tenant uuid,
  at_started timestamp with time zone,
  at_call text collate "C",
  passed_at timestamp with time zone,
  constraint retention_pkey PRIMARY KEY (only_row),
  constraint retention_only_row CHECK (only_row)
);

create table hopwhistle.rollup_folding (
  only_row boolean default true not null,
  leased_until timestamp with time zone default '-infinity'::timestamp with time zone not null,
  folded_until timestamp with time zone,
  pending bigint default 0 not null,
  constraint rollup_folding_pkey PRIMARY KEY (only_row),
  constraint rollup_folding_only_row CHECK (only_row)
);

create table hopwhistle.tenant_audit (
  id bigint generated always as identity not null,
  at timestamp with time zone default now() not null,
  tenant_id uuid not null,
  setting text not null,
  was text,
  became text,
  by_whom text,
  by_role text default SESSION_USER not null,
  constraint tenant_audit_pkey PRIMARY KEY (id)
);

create table hopwhistle.tenants (
  id uuid not null,
  name text not null,
  created_at timestamp with time zone default now() not null,
  events_per_second integer,
  retention_days integer,
  rollup_retention_days integer,
  stale_after_hours integer,
  time_zone text,
  labels text[],
  constraint tenants_pkey PRIMARY KEY (id),
  constraint tenants_events_per_second_is_positive CHECK ((events_per_second > 0)),
  constraint tenants_labels CHECK ((cardinality(labels) <= 8)),
  constraint tenants_retention_days CHECK (((retention_days = 0) OR (retention_days >= 91))),
  constraint tenants_rollup_retention_days CHECK ((rollup_retention_days >= 91)),
  constraint tenants_stale_after_hours CHECK (((stale_after_hours >= 1) AND (stale_after_hours <= 2160))),
  constraint tenants_time_zone_is_short CHECK (((char_length(time_zone) >= 1) AND (char_length(time_zone) <= 64)))
);

create table hopwhistle.token_keys (
  id smallint generated always as identity not null,
  secret bytea default sha256(((uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())) || uuid_send(gen_random_uuid()))) not null,
  made_at timestamp with time zone default now() not null,
  constraint token_keys_pkey PRIMARY KEY (id),
  constraint token_keys_id_is_a_byte CHECK (((id >= 1) AND (id <= 255))),
  constraint token_keys_secret_is_long CHECK ((octet_length(secret) >= 32))
);

create table hopwhistle.webhook_audit (
  id bigint generated always as identity not null,
  at timestamp with time zone default now() not null,
  action text not null,
  webhook_id uuid not null,
  tenant_id uuid not null,
  by_whom text,
  by_role text default SESSION_USER not null,
  constraint webhook_audit_pkey PRIMARY KEY (id),
  constraint webhook_audit_action_is_known CHECK ((action = ANY (ARRAY['made'::text, 'changed'::text, 'rotated'::text, 'active'::text, 'paused'::text, 'disabled'::text, 'replayed'::text, 'deleted'::text])))
);

create table hopwhistle.webhook_log (
  tenant_id uuid not null,
  batch_id bigint not null,
  created_at timestamp with time zone not null,
  event_ids text[] not null,
  sequences integer[],
  constraint webhook_log_pkey PRIMARY KEY (tenant_id, batch_id)
) with (autovacuum_vacuum_scale_factor=0.05, autovacuum_vacuum_threshold=5000);

create table hopwhistle.webhook_waiting (
  webhook_id uuid not null,
  batch_id bigint not null,
  place integer not null,
  event_id text collate "C" not null,
  call_id text collate "C" not null,
  sequence integer,
  attempts integer not null,
  first_tried_at timestamp with time zone,
  retry_at timestamp with time zone,
  constraint webhook_waiting_pkey PRIMARY KEY (webhook_id, batch_id, place),
  constraint webhook_waiting_webhook_id_fkey FOREIGN KEY (webhook_id) REFERENCES hopwhistle.webhooks(id) ON DELETE CASCADE
);

create table hopwhistle.webhooks (
  id uuid not null,
  tenant_id uuid not null,
  url text not null,
  patterns text[] not null,
  description text,
  state text default 'active'::text not null,
  disabled_because text,
  secret bytea not null,
  previous_secret bytea,
  previous_until timestamp with time zone,
  created_at timestamp with time zone default now() not null,
  replayed_at timestamp with time zone,
  version integer default 1 not null,
  kept_from bigint not null,
  at_batch bigint not null,
  at_place integer default 2147483647 not null,
  failing_since timestamp with time zone,
  failures integer default 0 not null,
  retry_at timestamp with time zone,
  delivered_at timestamp with time zone,
  recent jsonb default '[]'::jsonb not null,
  leased_by uuid,
  leased_until timestamp with time zone default '-infinity'::timestamp with time zone not null,
  constraint webhooks_pkey PRIMARY KEY (id),
  constraint webhooks_state CHECK ((state = ANY (ARRAY['active'::text, 'paused'::text, 'disabled'::text])))
) with (fillfactor=50, autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=500);

-- Partitions

create table hopwhistle.call_events_0 partition of hopwhistle.call_events FOR VALUES WITH (modulus 8, remainder 0) with (autovacuum_vacuum_insert_scale_factor=0, autovacuum_vacuum_insert_threshold=100000, autovacuum_analyze_scale_factor=0, autovacuum_analyze_threshold=50000, autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=100000);

create table hopwhistle.call_events_1 partition of hopwhistle.call_events FOR VALUES WITH (modulus 8, remainder 1) with (autovacuum_vacuum_insert_scale_factor=0, autovacuum_vacuum_insert_threshold=100000, autovacuum_analyze_scale_factor=0, autovacuum_analyze_threshold=50000, autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=100000);

create table hopwhistle.call_events_2 partition of hopwhistle.call_events FOR VALUES WITH (modulus 8, remainder 2) with (autovacuum_vacuum_insert_scale_factor=0, autovacuum_vacuum_insert_threshold=100000, autovacuum_analyze_scale_factor=0, autovacuum_analyze_threshold=50000, autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=100000);

create table hopwhistle.call_events_3 partition of hopwhistle.call_events FOR VALUES WITH (modulus 8, remainder 3) with (autovacuum_vacuum_insert_scale_factor=0, autovacuum_vacuum_insert_threshold=100000, autovacuum_analyze_scale_factor=0, autovacuum_analyze_threshold=50000, autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=100000);

create table hopwhistle.call_events_4 partition of hopwhistle.call_events FOR VALUES WITH (modulus 8, remainder 4) with (autovacuum_vacuum_insert_scale_factor=0, autovacuum_vacuum_insert_threshold=100000, autovacuum_analyze_scale_factor=0, autovacuum_analyze_threshold=50000, autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=100000);

create table hopwhistle.call_events_5 partition of hopwhistle.call_events FOR VALUES WITH (modulus 8, remainder 5) with (autovacuum_vacuum_insert_scale_factor=0, autovacuum_vacuum_insert_threshold=100000, autovacuum_analyze_scale_factor=0, autovacuum_analyze_threshold=50000, autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=100000);

create table hopwhistle.call_events_6 partition of hopwhistle.call_events FOR VALUES WITH (modulus 8, remainder 6) with (autovacuum_vacuum_insert_scale_factor=0, autovacuum_vacuum_insert_threshold=100000, autovacuum_analyze_scale_factor=0, autovacuum_analyze_threshold=50000, autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=100000);

create table hopwhistle.call_events_7 partition of hopwhistle.call_events FOR VALUES WITH (modulus 8, remainder 7) with (autovacuum_vacuum_insert_scale_factor=0, autovacuum_vacuum_insert_threshold=100000, autovacuum_analyze_scale_factor=0, autovacuum_analyze_threshold=50000, autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=100000);

-- Indexes that are not constraints

CREATE INDEX api_keys_tenant ON hopwhistle.api_keys USING btree (tenant_id);

CREATE INDEX browser_tokens_key ON hopwhistle.browser_tokens USING btree (key_id, ends_at);

CREATE INDEX call_changes_folded ON hopwhistle.call_changes USING btree (folded_at);

CREATE INDEX call_events_call ON ONLY hopwhistle.call_events USING btree (call_id, tenant_id);

CREATE INDEX call_metrics_pending_hour ON hopwhistle.call_metrics_pending USING btree (tenant_id, hour);

CREATE INDEX calls_ended ON hopwhistle.calls USING btree (tenant_id, ended_at DESC) WHERE (ended_at IS NOT NULL);

CREATE INDEX calls_final_state ON hopwhistle.calls USING btree (tenant_id, final_state, direction, started_at DESC);

CREATE INDEX calls_from ON hopwhistle.calls USING btree (tenant_id, from_number, final_state, direction, started_at DESC) WHERE (from_number IS NOT NULL);

CREATE INDEX calls_started ON hopwhistle.calls USING btree (tenant_id, started_at DESC);

CREATE INDEX calls_talk ON hopwhistle.calls USING btree (tenant_id, talk_ms DESC, call_id DESC) WHERE (talk_ms IS NOT NULL);

CREATE INDEX calls_to ON hopwhistle.calls USING btree (tenant_id, to_number, final_state, direction, started_at DESC) WHERE (to_number IS NOT NULL);

CREATE INDEX key_audit_tenant ON hopwhistle.key_audit USING btree (tenant_id, id);

CREATE INDEX provider_callbacks_tenant ON hopwhistle.provider_callbacks USING btree (tenant_id);

CREATE INDEX quarters_since_incomplete ON hopwhistle.quarters_since USING btree (since DESC) WHERE (NOT complete);

CREATE INDEX tenant_audit_tenant ON hopwhistle.tenant_audit USING btree (tenant_id, id);

CREATE INDEX webhook_audit_tenant ON hopwhistle.webhook_audit USING btree (tenant_id, id);

CREATE INDEX webhooks_tenant ON hopwhistle.webhooks USING btree (tenant_id);

-- Row-level security

alter table hopwhistle.api_keys enable row level security, force row level security;
create policy owner_sees_all on hopwhistle.api_keys for all to hopwhistle_owner
  using (true)
  with check (true);

alter table hopwhistle.call_changes enable row level security, force row level security;
create policy api_sees_its_tenants on hopwhistle.call_changes for select to hopwhistle_api
  using ((tenant_id = ANY (( SELECT (NULLIF(current_setting('hopwhistle.tenant_ids'::text, true), ''::text))::uuid[] AS "nullif")::uuid[])));
create policy owner_sees_all on hopwhistle.call_changes for all to hopwhistle_owner
  using (true)
  with check (true);

alter table hopwhistle.call_events enable row level security, force row level security;
create policy api_sees_its_tenants on hopwhistle.call_events for all to hopwhistle_api
  using ((tenant_id = ANY (( SELECT (NULLIF(current_setting('hopwhistle.tenant_ids'::text, true), ''::text))::uuid[] AS "nullif")::uuid[])));
create policy owner_sees_all on hopwhistle.call_events for all to hopwhistle_owner
  using (true)
  with check (true);

alter table hopwhistle.call_metrics_daily enable row level security, force row level security;
create policy api_sees_its_tenants on hopwhistle.call_metrics_daily for all to hopwhistle_api
  using ((tenant_id = ANY (( SELECT (NULLIF(current_setting('hopwhistle.tenant_ids'::text, true), ''::text))::uuid[] AS "nullif")::uuid[])));
create policy owner_sees_all on hopwhistle.call_metrics_daily for all to hopwhistle_owner
  using (true)
  with check (true);

alter table hopwhistle.call_metrics_hourly enable row level security, force row level security;
create policy api_sees_its_tenants on hopwhistle.call_metrics_hourly for all to hopwhistle_api
  using ((tenant_id = ANY (( SELECT (NULLIF(current_setting('hopwhistle.tenant_ids'::text, true), ''::text))::uuid[] AS "nullif")::uuid[])));
create policy owner_sees_all on hopwhistle.call_metrics_hourly for all to hopwhistle_owner
  using (true)
  with check (true);

alter table hopwhistle.call_metrics_pending enable row level security, force row level security;
create policy api_sees_its_tenants on hopwhistle.call_metrics_pending for all to hopwhistle_api
  using ((tenant_id = ANY (( SELECT (NULLIF(current_setting('hopwhistle.tenant_ids'::text, true), ''::text))::uuid[] AS "nullif")::uuid[])));
create policy owner_sees_all on hopwhistle.call_metrics_pending for all to hopwhistle_owner
  using (true)
  with check (true);

alter table hopwhistle.call_metrics_quarterly enable row level security, force row level security;
create policy api_sees_its_tenants on hopwhistle.call_metrics_quarterly for select to hopwhistle_api
  using ((tenant_id = ANY (( SELECT (NULLIF(current_setting('hopwhistle.tenant_ids'::text, true), ''::text))::uuid[] AS "nullif")::uuid[])));
create policy owner_sees_all on hopwhistle.call_metrics_quarterly for all to hopwhistle_owner
  using (true)
  with check (true);

alter table hopwhistle.calls enable row level security, force row level security;
create policy api_sees_its_tenants on hopwhistle.calls for all to hopwhistle_api
  using ((tenant_id = ANY (( SELECT (NULLIF(current_setting('hopwhistle.tenant_ids'::text, true), ''::text))::uuid[] AS "nullif")::uuid[])));
create policy owner_sees_all on hopwhistle.calls for all to hopwhistle_owner
  using (true)
  with check (true);

alter table hopwhistle.erasures enable row level security, force row level security;
create policy owner_sees_all on hopwhistle.erasures for all to hopwhistle_owner
  using (true)
  with check (true);

alter table hopwhistle.events_aside enable row level security, force row level security;
create policy owner_sees_all on hopwhistle.events_aside for all to hopwhistle_owner
  using (true)
  with check (true);

alter table hopwhistle.key_audit enable row level security, force row level security;
create policy owner_sees_all on hopwhistle.key_audit for all to hopwhistle_owner
  using (true)
  with check (true);

alter table hopwhistle.labels_to_fold enable row level security, force row level security;
create policy owner_sees_all on hopwhistle.labels_to_fold for all to hopwhistle_owner
  using (true)
  with check (true);

alter table hopwhistle.outbox enable row level security, force row level security;
create policy api_sees_its_tenants on hopwhistle.outbox for all to hopwhistle_api
  using ((tenant_id = ANY (( SELECT (NULLIF(current_setting('hopwhistle.tenant_ids'::text, true), ''::text))::uuid[] AS "nullif")::uuid[])));
create policy owner_sees_all on hopwhistle.outbox for all to hopwhistle_owner
  using (true)
  with check (true);

alter table hopwhistle.provider_callbacks enable row level security, force row level security;
create policy owner_sees_all on hopwhistle.provider_callbacks for all to hopwhistle_owner
  using (true)
  with check (true);

alter table hopwhistle.quarters_since enable row level security, force row level security;
create policy api_sees_its_tenants on hopwhistle.quarters_since for select to hopwhistle_api
  using ((tenant_id = ANY (( SELECT (NULLIF(current_setting('hopwhistle.tenant_ids'::text, true), ''::text))::uuid[] AS "nullif")::uuid[])));
create policy owner_sees_all on hopwhistle.quarters_since for all to hopwhistle_owner
  using (true)
  with check (true);

alter table hopwhistle.tenant_audit enable row level security, force row level security;
create policy owner_sees_all on hopwhistle.tenant_audit for all to hopwhistle_owner
  using (true)
  with check (true);

alter table hopwhistle.tenants enable row level security, force row level security;
create policy api_sees_its_tenants on hopwhistle.tenants for select to hopwhistle_api
  using ((id = ANY (( SELECT (NULLIF(current_setting('hopwhistle.tenant_ids'::text, true), ''::text))::uuid[] AS "nullif")::uuid[])));
create policy owner_sees_all on hopwhistle.tenants for all to hopwhistle_owner
  using (true)
  with check (true);

alter table hopwhistle.webhook_audit enable row level security, force row level security;
create policy owner_sees_all on hopwhistle.webhook_audit for all to hopwhistle_owner
  using (true)
  with check (true);

alter table hopwhistle.webhook_log enable row level security, force row level security;
create policy api_sees_its_tenants on hopwhistle.webhook_log for select to hopwhistle_api
  using ((tenant_id = ANY (( SELECT (NULLIF(current_setting('hopwhistle.tenant_ids'::text, true), ''::text))::uuid[] AS "nullif")::uuid[])));
create policy owner_sees_all on hopwhistle.webhook_log for all to hopwhistle_owner
  using (true)
  with check (true);

alter table hopwhistle.webhook_waiting enable row level security, force row level security;
create policy owner_sees_all on hopwhistle.webhook_waiting for all to hopwhistle_owner
  using (true)
  with check (true);

alter table hopwhistle.webhooks enable row level security, force row level security;
create policy api_sees_its_tenants on hopwhistle.webhooks for select to hopwhistle_api
  using ((tenant_id = ANY (( SELECT (NULLIF(current_setting('hopwhistle.tenant_ids'::text, true), ''::text))::uuid[] AS "nullif")::uuid[])));
create policy owner_sees_all on hopwhistle.webhooks for all to hopwhistle_owner
  using (true)
  with check (true);

-- Functions and procedures

CREATE OR REPLACE FUNCTION hopwhistle.audit_callback()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog'
AS $function$
declare
  one hopwhistle.provider_callbacks := coalesce(new, old);
begin
  insert into hopwhistle.key_audit (action, key_id, tenant_id, by_whom, ends_at)
  values (
    case tg_op when 'INSERT' then 'callback made' when 'UPDATE' then 'callback ended' else 'callback deleted' end,
    one.id, one.tenant_id, nullif(current_setting('hopwhistle.by_whom', true), ''), one.ended_at);
  return null;
end
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.audit_key()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog'
AS $function$
declare
  one hopwhistle.api_keys := coalesce(new, old);
begin
  insert into hopwhistle.key_audit (action, key_id, tenant_id, by_whom, ends_at, replaces)
  values (
    case
      when tg_op = 'DELETE' then 'deleted'
      when tg_op = 'INSERT' then case when one.replaces is null then 'made' else 'rotated' end
      when one.revoked_at is null then 'restored'
      else 'ended'
    end,
    one.id, one.tenant_id, nullif(current_setting('hopwhistle.by_whom', true), ''), one.revoked_at, one.replaces);
  return null;
end
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.audit_tenant()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog'
AS $function$
begin
  insert into hopwhistle.tenant_audit (tenant_id, setting, was, became, by_whom)
  select new.id, n.key, o.value, n.value, nullif(current_setting('hopwhistle.by_whom', true), '')
  from jsonb_each_text(to_jsonb(new)) n join jsonb_each_text(to_jsonb(old)) o using (key)
  where n.value is distinct from o.value;
  delete from hopwhistle.tenant_audit a
  using (
    select setting, id, row_number() over (partition by setting order by id desc) as place
    from hopwhistle.tenant_audit where tenant_id = new.id) as older
  where older.place > 1000 and a.id = older.id;
  return null;
end
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.audit_webhook()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog'
AS $function$
declare
  one hopwhistle.webhooks := coalesce(new, old);
begin
  insert into hopwhistle.webhook_audit (action, webhook_id, tenant_id, by_whom)
  values (
    case
      when tg_op = 'DELETE' then 'deleted'
      when tg_op = 'INSERT' then 'made'
      when new.state <> old.state then new.state
      when new.secret <> old.secret then 'rotated'
      when new.replayed_at is distinct from old.replayed_at then 'replayed'
      else 'changed'
    end,
    one.id, one.tenant_id, nullif(current_setting('hopwhistle.by_whom', true), ''));
  delete from hopwhistle.webhook_audit a
  where a.tenant_id = one.tenant_id and a.id <= (
    select o.id from hopwhistle.webhook_audit o where o.tenant_id = one.tenant_id order by o.id desc offset 1000 limit 1);
  return null;
end
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.authenticate(wanted bytea)
 RETURNS TABLE(key_id uuid, tenant_id uuid, scopes text[], tenant_rate integer, key_rate integer, time_zone text)
 LANGUAGE sql
 STABLE STRICT SECURITY DEFINER ROWS 1
 SET search_path TO 'pg_catalog'
AS $function$
  select k.id, k.tenant_id, k.scopes, t.events_per_second, k.events_per_second, t.time_zone
  from hopwhistle.api_keys k
  join hopwhistle.tenants t on t.id = k.tenant_id
  where k.key_hash = wanted and (k.revoked_at is null or k.revoked_at > now())
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.begin_fold_pass(OUT may_fold boolean, OUT began_at timestamp with time zone, OUT folded_until timestamp with time zone, OUT pending bigint, OUT tenants text[], OUT counts integer[])
 RETURNS record
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog'
 SET enable_seqscan TO 'off'
 SET jit TO 'off'
AS $function$
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
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.bucket_estimate_ms(bucket integer)
 RETURNS double precision
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE STRICT
RETURN (((2)::double precision * power(((1.01)::double precision / (0.99)::double precision), ((bucket - 1))::double precision)) / (((1.01)::double precision / (0.99)::double precision) + (1)::double precision))
;

CREATE OR REPLACE FUNCTION hopwhistle.change_before(since timestamp with time zone)
 RETURNS bigint
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog'
AS $function$
  select coalesce(
    (select c.change_id - 1 from hopwhistle.call_changes c where c.folded_at >= since - interval '10 seconds'
     order by c.folded_at limit 1),
    (select c.change_id from hopwhistle.call_changes c order by c.folded_at desc limit 1),
    0)
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.change_webhook(action text, of_tenant uuid, of_webhook uuid, by_whom text, most integer, given jsonb)
 RETURNS text
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog'
AS $function$
declare
  now_is hopwhistle.webhooks;
begin
  perform set_config('hopwhistle.by_whom', by_whom, true);
  if action = 'make' then
    -- One at a time for a tenant, so that none has more than `most`.
    perform pg_advisory_xact_lock(hashtextextended('hopwhistle.webhooks ' || of_tenant, 0));
    if (select count(*) from hopwhistle.webhooks w where w.tenant_id = of_tenant) >= most then
      return 'too-many';
    end if;
    insert into hopwhistle.webhooks (id, tenant_id, url, patterns, description, secret, kept_from, at_batch)
    select of_webhook, of_tenant, given ->> 'url', array(select jsonb_array_elements_text(given -> 'patterns')),
      given ->> 'description', decode(given ->> 'secret', 'hex'),
      coalesce((select min(w.kept_from) from hopwhistle.webhooks w where w.tenant_id = of_tenant), p.numbered), p.numbered
    from hopwhistle.outbox_position() p;
    return 'done';
  end if;

  select w.* into now_is from hopwhistle.webhooks w
  where w.id = of_webhook and w.tenant_id = of_tenant for update;
  if not found then
    return null;
  end if;
  case action
    when 'delete' then
      delete from hopwhistle.webhooks w where w.id = of_webhook;
    when 'rotate' then
      update hopwhistle.webhooks w
      set secret = decode(given ->> 'secret', 'hex'), previous_secret = w.secret,
        previous_until = (given ->> 'previousUntil')::timestamptz, version = w.version + 1
      where w.id = of_webhook;
    when 'change' then
      update hopwhistle.webhooks w
      set url = coalesce(given ->> 'url', w.url),
        patterns = case when given ? 'patterns' then array(select jsonb_array_elements_text(given -> 'patterns')) else w.patterns end,
        description = case when given ? 'description' then given ->> 'description' else w.description end,
        state = coalesce(given ->> 'state', w.state),
        disabled_because = case when given ? 'state' then null else w.disabled_because end,
        failing_since = null, failures = 0, retry_at = null, version = w.version + 1
      where w.id = of_webhook;
      -- Waiting events are tried for another day.
      update hopwhistle.webhook_waiting t set attempts = 0, first_tried_at = null, retry_at = null
      where t.webhook_id = of_webhook;
    when 'replay' then
      if (given ->> 'batch')::bigint < now_is.kept_from then
        return 'gone';
      end if;
      update hopwhistle.webhooks w
      set at_batch = (given ->> 'batch')::bigint, at_place = (given ->> 'place')::integer,
        replayed_at = clock_timestamp(), version = w.version + 1
      where w.id = of_webhook;
      delete from hopwhistle.webhook_waiting t
      where t.webhook_id = of_webhook
        and (t.batch_id, t.place) > ((given ->> 'batch')::bigint, (given ->> 'place')::integer);
  end case;
  return 'done';
end
$function$
;

CREATE OR REPLACE PROCEDURE hopwhistle.commit_browser_token(IN of_key uuid, IN new_hash bytea, IN new_scopes text[], IN new_end timestamp with time zone, IN most integer, INOUT made boolean)
 LANGUAGE plpgsql
AS $procedure$
begin
  made := hopwhistle.make_browser_token(of_key, new_hash, new_scopes, new_end, most);
  commit;
end
$procedure$
;

CREATE OR REPLACE PROCEDURE hopwhistle.commit_call_event(IN of_tenant uuid, IN of_event text, IN of_call text, IN new_state smallint, IN occurred_ms bigint, IN received_us bigint, IN new_direction smallint, IN new_from text, IN new_to text, IN new_metadata text, IN published bigint[], INOUT outcomes text, INOUT call_states text, INOUT batch_ids bigint[], INOUT batch_tenants uuid[], INOUT commit_position text)
 LANGUAGE plpgsql
AS $procedure$
declare
  sequences integer[];
begin
  call hopwhistle.commit_call_event(of_tenant, of_event, of_call, new_state, occurred_ms, received_us, new_direction,
    new_from, new_to, new_metadata, null::boolean,
    hopwhistle.progress_before(new_state, to_timestamp(occurred_ms / 1000.0::float8)), published,
    outcomes, call_states, sequences, batch_ids, batch_tenants, commit_position);
end
$procedure$
;

CREATE OR REPLACE PROCEDURE hopwhistle.commit_call_event(IN of_tenant uuid, IN of_event text, IN of_call text, IN new_state smallint, IN occurred_ms bigint, IN received_us bigint, IN new_direction smallint, IN new_from text, IN new_to text, IN new_metadata text, IN new_corrects boolean, IN new_progress bigint, IN published bigint[], INOUT outcomes text, INOUT call_states text, INOUT sequences integer[], INOUT batch_ids bigint[], INOUT batch_tenants uuid[], INOUT commit_position text)
 LANGUAGE plpgsql
AS $procedure$
declare
  occurred timestamptz := to_timestamp(occurred_ms / 1000.0::float8);
  received timestamptz := to_timestamp(received_us / 1000000.0::float8);
  visible text;
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
  visible := set_config('hopwhistle.tenant_ids', '{' || of_tenant || '}', true);

  if cardinality(published) > 0 then
    perform hopwhistle.forget_published(published);
  end if;

  insert into hopwhistle.call_events (
    tenant_id, event_id, call_id, state, occurred_at, received_at, direction, from_number, to_number, metadata,
    corrects, place)
  values (
    of_tenant, of_event, of_call, new_state::hopwhistle.call_state, occurred, received,
    new_direction::hopwhistle.call_direction, new_from, new_to, new_metadata::jsonb, new_corrects, 1)
  on conflict do nothing;

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
    new_progress, received, new_direction, hopwhistle.normal_number(new_from), hopwhistle.normal_number(new_to), 1)
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

  new_hour := date_bin('15 minutes', new_call.started_at, '2000-01-01T00:00:00Z');
  new_ring := hopwhistle.elapsed_ms(least(new_call.initiated_at, new_call.ringing_at), new_call.answered_at);
  new_talk := new_call.talk_ms;
  if new_call.previous_state is not null then
    old_hour := date_bin('15 minutes', new_call.previous_started_at, '2000-01-01T00:00:00Z');
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
$procedure$
;

CREATE OR REPLACE PROCEDURE hopwhistle.commit_call_events(IN visible_tenants text, IN tenant_ids uuid[], IN event_ids text[], IN call_ids text[], IN states smallint[], IN occurred_ms bigint[], IN received_us bigint[], IN directions smallint[], IN from_numbers text[], IN to_numbers text[], IN metadatas text[], IN published bigint[], INOUT outcomes text, INOUT call_states text, INOUT batch_ids bigint[], INOUT batch_tenants uuid[], INOUT commit_position text)
 LANGUAGE plpgsql
AS $procedure$
declare
  sequences integer[];
begin
  call hopwhistle.commit_call_events(visible_tenants, tenant_ids, event_ids, call_ids, states, occurred_ms, received_us,
    directions, from_numbers, to_numbers, metadatas, array_fill(null::boolean, array[cardinality(event_ids)]),
    hopwhistle.progresses_before(states, occurred_ms), published,
    outcomes, call_states, sequences, batch_ids, batch_tenants, commit_position);
end
$procedure$
;

CREATE OR REPLACE PROCEDURE hopwhistle.commit_call_events(IN visible_tenants text, IN tenant_ids uuid[], IN event_ids text[], IN call_ids text[], IN states smallint[], IN occurred_ms bigint[], IN received_us bigint[], IN directions smallint[], IN from_numbers text[], IN to_numbers text[], IN metadatas text[], IN corrections boolean[], IN progresses bigint[], IN published bigint[], INOUT outcomes text, INOUT call_states text, INOUT sequences integer[], INOUT batch_ids bigint[], INOUT batch_tenants uuid[], INOUT commit_position text)
 LANGUAGE plpgsql
AS $procedure$
declare
  places smallint[];
  visible text;
  written record;
  fresh_outcomes text;
  fresh_states text;
  fresh_sequences integer[];
  at integer := 1;
  total integer := cardinality(event_ids);
  found_outcome text;
  found_state text;
begin
  visible := set_config('hopwhistle.tenant_ids', visible_tenants, true);

  if cardinality(published) > 0 then
    perform hopwhistle.forget_published(published);
  end if;

  written := hopwhistle.write_call_events(
    tenant_ids, event_ids, call_ids, states, occurred_ms, received_us, directions, from_numbers, to_numbers, metadatas,
    corrections, progresses);
  places := written.places;
  fresh_outcomes := written.outcomes;
  fresh_states := written.call_states;
  fresh_sequences := written.sequences;
  batch_ids := written.batch_ids;
  batch_tenants := written.batch_tenants;

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
$procedure$
;

CREATE OR REPLACE PROCEDURE hopwhistle.commit_declared_labels(IN of_tenant uuid, IN names text[])
 LANGUAGE plpgsql
AS $procedure$
begin
  perform hopwhistle.declare_labels(of_tenant, names);
  commit;
end
$procedure$
;

CREATE OR REPLACE PROCEDURE hopwhistle.commit_events_aside(IN of_tenant uuid, IN bodies jsonb)
 LANGUAGE plpgsql
AS $procedure$
begin
  perform hopwhistle.keep_events_aside(of_tenant, bodies);
  -- What was kept before writes nothing, and may still lack on the replicas.
  perform hopwhistle.wait_for_replication();
  commit;
end
$procedure$
;

CREATE OR REPLACE PROCEDURE hopwhistle.commit_events_aside(IN of_tenant uuid, IN bodies jsonb, INOUT conflicts bigint[])
 LANGUAGE plpgsql
AS $procedure$
begin
  perform hopwhistle.keep_events_aside(of_tenant, bodies);
  conflicts := hopwhistle.conflicts_aside(of_tenant, bodies);
  perform hopwhistle.wait_for_replication();
  commit;
end
$procedure$
;

CREATE OR REPLACE PROCEDURE hopwhistle.commit_labelled_call_event(IN of_tenant uuid, IN of_event text, IN of_call text, IN new_state smallint, IN occurred_ms bigint, IN received_us bigint, IN new_direction smallint, IN new_from text, IN new_to text, IN new_metadata text, IN new_corrects boolean, IN new_progress bigint, IN published bigint[], INOUT outcomes text, INOUT call_states text, INOUT sequences integer[], INOUT batch_ids bigint[], INOUT batch_tenants uuid[], INOUT commit_position text)
 LANGUAGE plpgsql
AS $procedure$
begin
  perform hopwhistle.fold_labels_at_commit(array[of_tenant], array[of_call]);
  call hopwhistle.commit_call_event(of_tenant, of_event, of_call, new_state, occurred_ms, received_us, new_direction,
    new_from, new_to, new_metadata, new_corrects, new_progress, published,
    outcomes, call_states, sequences, batch_ids, batch_tenants, commit_position);
end
$procedure$
;

CREATE OR REPLACE PROCEDURE hopwhistle.commit_labelled_call_events(IN labelled_tenants uuid[], IN labelled_calls text[], IN visible_tenants text, IN tenant_ids uuid[], IN event_ids text[], IN call_ids text[], IN states smallint[], IN occurred_ms bigint[], IN received_us bigint[], IN directions smallint[], IN from_numbers text[], IN to_numbers text[], IN metadatas text[], IN corrections boolean[], IN progresses bigint[], IN published bigint[], INOUT outcomes text, INOUT call_states text, INOUT sequences integer[], INOUT batch_ids bigint[], INOUT batch_tenants uuid[], INOUT commit_position text)
 LANGUAGE plpgsql
AS $procedure$
begin
  perform hopwhistle.fold_labels_at_commit(labelled_tenants, labelled_calls);
  call hopwhistle.commit_call_events(visible_tenants, tenant_ids, event_ids, call_ids, states, occurred_ms, received_us,
    directions, from_numbers, to_numbers, metadatas, corrections, progresses, published,
    outcomes, call_states, sequences, batch_ids, batch_tenants, commit_position);
end
$procedure$
;

CREATE OR REPLACE PROCEDURE hopwhistle.commit_webhook(IN action text, IN of_tenant uuid, IN of_webhook uuid, IN by_whom text, IN most integer, IN given jsonb, INOUT answer text)
 LANGUAGE plpgsql
AS $procedure$
begin
  answer := hopwhistle.change_webhook(action, of_tenant, of_webhook, by_whom, most, given);
  commit;
end
$procedure$
;

CREATE OR REPLACE FUNCTION hopwhistle.conflicts_aside(of_tenant uuid, bodies jsonb)
 RETURNS bigint[]
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog'
AS $function$
  select array_agg(given.place order by given.place)
  from jsonb_array_elements(bodies) with ordinality as given (body, place)
  join hopwhistle.events_aside kept on kept.tenant_id = of_tenant and kept.event_id = given.body ->> 'eventId'
  where kept.body <> given.body
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.count_webhooks(OUT active integer, OUT failing integer, OUT paused integer, OUT disabled integer)
 RETURNS record
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog'
AS $function$
  select count(*) filter (where state = 'active' and failing_since is null),
    count(*) filter (where state = 'active' and failing_since is not null),
    count(*) filter (where state = 'paused'), count(*) filter (where state = 'disabled')
  from hopwhistle.webhooks
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.declare_labels(of_tenant uuid, names text[])
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog'
AS $function$
  update hopwhistle.tenants t set labels = nullif(names, '{}') where t.id = of_tenant
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.declared_labels(of_tenant uuid)
 RETURNS text[]
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog'
AS $function$
  select t.labels from hopwhistle.tenants t where t.id = of_tenant
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.duration_bucket(ms bigint)
 RETURNS smallint
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN (CASE WHEN (ms <= 1) THEN (1)::double precision ELSE ((1)::double precision + ceil((ln((ms)::double precision) / ln(((1.01)::double precision / (0.99)::double precision))))) END)::smallint
;

CREATE OR REPLACE FUNCTION hopwhistle.elapsed_ms(since timestamp with time zone, until timestamp with time zone)
 RETURNS bigint
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN (CASE WHEN (until < since) THEN (0)::double precision ELSE round((date_part('epoch'::text, (until - since)) * (1000)::double precision)) END)::bigint
;

CREATE OR REPLACE FUNCTION hopwhistle.end_fold_pass(folded_all_until timestamp with time zone)
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog'
 SET synchronous_commit TO 'off'
AS $function$
  update hopwhistle.rollup_folding f
  set leased_until = '-infinity', folded_until = greatest(f.folded_until, folded_all_until)
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.events_past_full_calls(visible_tenants text, tenant_ids uuid[], event_ids text[], call_ids text[])
 RETURNS integer[]
 LANGUAGE plpgsql
AS $function$
begin
  perform set_config('hopwhistle.tenant_ids', visible_tenants, true);
  return array(
    select place
    from (
      select place, coalesce(c.sequence, 0) + row_number() over (partition by g.tenant_id, g.call_id order by place) as sequence
      from unnest(tenant_ids, event_ids, call_ids) with ordinality as g (tenant_id, event_id, call_id, place)
      left join hopwhistle.calls c on c.tenant_id = g.tenant_id and c.call_id = g.call_id
      where not exists (
        select from hopwhistle.call_events e where e.tenant_id = g.tenant_id and e.event_id = g.event_id)
    ) as fresh
    where sequence > 1000
    order by place);
end
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.find_browser_token(wanted bytea)
 RETURNS TABLE(key_hash bytea, scopes text[], ends_at timestamp with time zone)
 LANGUAGE sql
 STABLE STRICT SECURITY DEFINER ROWS 1
 SET search_path TO 'pg_catalog'
AS $function$
  select k.key_hash, t.scopes, t.ends_at
  from hopwhistle.browser_tokens t
  join hopwhistle.api_keys k on k.id = t.key_id
  where t.token_hash = wanted and t.ends_at > now()
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.find_provider_callback(wanted bytea, of_provider text)
 RETURNS TABLE(id uuid, tenant_id uuid, sealed_secret bytea, tenant_rate integer)
 LANGUAGE sql
 STABLE STRICT SECURITY DEFINER ROWS 1
 SET search_path TO 'pg_catalog'
AS $function$
  select c.id, c.tenant_id, c.sealed_secret, t.events_per_second
  from hopwhistle.provider_callbacks c
  join hopwhistle.tenants t on t.id = c.tenant_id
  where c.callback_hash = wanted and c.provider = of_provider and c.ended_at is null
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.find_stale_outbox(older_than interval, behind bigint, without_tenants uuid[], at_most integer)
 RETURNS TABLE(batch_id bigint, tenant_id uuid, age_seconds double precision)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog'
 SET enable_seqscan TO 'off'
AS $function$
  select o.batch_id, o.tenant_id, extract(epoch from now() - o.created_at)::float8
  from hopwhistle.outbox o
  where o.batch_id > behind and o.created_at < now() - older_than and o.tenant_id <> all (without_tenants)
  order by o.batch_id
  limit at_most
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.find_webhook_news(tenants uuid[], after_batches bigint[], up_to bigint)
 RETURNS integer[]
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog'
 SET enable_seqscan TO 'off'
AS $function$
  select array(
    select asked.n::integer
    from unnest(tenants, after_batches) with ordinality as asked (tenant_id, after_batch, n)
    where exists (
        select from hopwhistle.webhook_log l
        where l.tenant_id = asked.tenant_id and l.batch_id >= asked.after_batch and l.batch_id <= up_to)
      or exists (
        select from hopwhistle.outbox o
        where o.tenant_id = asked.tenant_id and o.batch_id >= asked.after_batch and o.batch_id <= up_to))
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.fold_call_metrics()
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog'
 SET enable_seqscan TO 'off'
 SET jit TO 'off'
AS $function$
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
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.fold_call_metrics(tenants uuid[], from_hours timestamp with time zone[], each_at_most integer, at_most integer)
 RETURNS TABLE(tenant_id uuid, folded integer, last_hour timestamp with time zone)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog'
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
 SET enable_bitmapscan TO 'off'
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
 SET jit TO 'off'
AS $function$
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
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.fold_histogram(INOUT buckets smallint[], INOUT counts bigint[], entries smallint[], OUT histogram bytea, OUT p50 double precision, OUT p95 double precision, OUT p99 double precision)
 RETURNS record
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog'
AS $function$
declare
  first integer;
  last integer;
  -- The counts, from the first bucket to the last.
  dense bigint[];
  entry integer;
  total bigint;
  below bigint := 0;
  below_p50 bigint;
  below_p95 bigint;
  below_p99 bigint;
begin
  select least(min(abs(e)), buckets[1]), greatest(max(abs(e)), buckets[cardinality(buckets)])
  into first, last
  from unnest(entries) as e;
  if first is null then
    buckets := '{}';
    counts := '{}';
    return;
  end if;

  dense := array_fill(0::bigint, array[last - first + 1], array[first]);
  for i in 1..coalesce(cardinality(buckets), 0) loop
    dense[buckets[i]] := counts[i];
  end loop;
  foreach entry in array coalesce(entries, '{}') loop
    dense[abs(entry)] := dense[abs(entry)] + sign(entry)::integer;
  end loop;

  select coalesce(array_agg((first - 1 + place)::smallint) filter (where n <> 0), '{}'),
    coalesce(array_agg(n) filter (where n <> 0), '{}'),
    int2send(first::smallint) || string_agg(int4send(n::integer), ''), sum(n)
  into buckets, counts, histogram, total
  from unnest(dense) with ordinality as d (n, place);

  if total = 0 then return; end if;
  below_p50 := ceil(0.50 * total);
  below_p95 := ceil(0.95 * total);
  below_p99 := ceil(0.99 * total);
  for bucket in first..last loop
    below := below + dense[bucket];
    continue when below < below_p50;
    if p50 is null then p50 := hopwhistle.bucket_estimate_ms(bucket); end if;
    if p95 is null and below >= below_p95 then p95 := hopwhistle.bucket_estimate_ms(bucket); end if;
    if below >= below_p99 then
      p99 := hopwhistle.bucket_estimate_ms(bucket);
      return;
    end if;
  end loop;
end
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.fold_labels()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog'
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
 SET jit TO 'off'
AS $function$
begin
  update hopwhistle.calls c set labels = f.labels
  from (
    select l.tenant_id, l.call_id, hopwhistle.labels_of_call(l.tenant_id, l.call_id) as labels
    from unnest(new.tenant_ids, new.call_ids) as l (tenant_id, call_id)
    group by l.tenant_id, l.call_id
  ) f
  where c.tenant_id = f.tenant_id and c.call_id = f.call_id and c.labels is distinct from f.labels;
  delete from hopwhistle.labels_to_fold l where l.id = new.id;
  return null;
end
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.fold_labels_at_commit(tenant_ids uuid[], call_ids text[])
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog'
AS $function$
begin
  insert into hopwhistle.labels_to_fold (tenant_ids, call_ids)
  values (fold_labels_at_commit.tenant_ids, fold_labels_at_commit.call_ids);
end
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.fold_quarter_histogram(histogram text, entries smallint[])
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog'
AS $function$
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
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.forget_old_calls(keep interval, again_after interval, at_most integer, OUT calls integer, OUT events integer, OUT finished boolean, OUT passed_at timestamp with time zone)
 RETURNS record
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog'
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
 SET jit TO 'off'
AS $function$
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
      quarters as (
        delete from hopwhistle.call_metrics_quarterly m
        where m.ctid = any (array(
          select q.ctid
          from hopwhistle.call_metrics_quarterly q
          where q.tenant_id = here.at_tenant
            and q.quarter < date_trunc('day', now() - of_tenant.rollup_retention_days * interval '1 day', 'UTC')
          limit 4000))
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
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.forget_old_changes(keep interval, at_most integer)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog'
 SET enable_seqscan TO 'off'
AS $function$
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
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.forget_published(published bigint[])
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog'
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
AS $function$
begin
  if pg_relation_size('hopwhistle.webhooks', 'main') > 0 then
    if exists (select from hopwhistle.webhooks) then
      with gone as (
        delete from hopwhistle.outbox
        where batch_id = any (array(
          select o.batch_id from hopwhistle.outbox o where o.batch_id = any (published) for update skip locked))
        returning batch_id, tenant_id, created_at, event_ids, sequences
      )
      insert into hopwhistle.webhook_log (tenant_id, batch_id, created_at, event_ids, sequences)
      select g.tenant_id, g.batch_id, g.created_at, g.event_ids, g.sequences
      from gone g
      where exists (select from hopwhistle.webhooks w where w.tenant_id = g.tenant_id);
      return;
    end if;
  end if;
  delete from hopwhistle.outbox
  where batch_id = any (array(
    select o.batch_id from hopwhistle.outbox o where o.batch_id = any (published) for update skip locked));
end
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.forget_webhook_log(keep interval, at_most integer)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog'
 SET enable_seqscan TO 'off'
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
AS $function$
declare
  of_tenant uuid;
  forgotten integer;
  last_forgotten bigint;
  total integer := 0;
begin
  perform set_config('synchronous_commit', 'local', true);
  loop
    select l.tenant_id into of_tenant from hopwhistle.webhook_log l
    where of_tenant is null or l.tenant_id > of_tenant order by l.tenant_id limit 1;
    exit when of_tenant is null or total >= at_most;
    with oldest as (
      select l.batch_id, l.created_at from hopwhistle.webhook_log l
      where l.tenant_id = of_tenant order by l.batch_id limit at_most - total
      for update skip locked
    ),
    gone as (
      delete from hopwhistle.webhook_log l
      using oldest o
      where l.tenant_id = of_tenant and l.batch_id = o.batch_id
        and (o.created_at < now() - keep
          or not exists (select from hopwhistle.webhooks w where w.tenant_id = of_tenant))
      returning l.batch_id
    )
    select count(*), max(g.batch_id) into forgotten, last_forgotten from gone g;
    update hopwhistle.webhooks w set kept_from = last_forgotten
    where w.tenant_id = of_tenant and w.kept_from < last_forgotten;
    total := total + forgotten;
  end loop;
  return total;
end
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.keep_events_aside(of_tenant uuid, bodies jsonb)
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog'
AS $function$
  insert into hopwhistle.events_aside (tenant_id, event_id, body)
  select of_tenant, body ->> 'eventId', body from jsonb_array_elements(bodies) as body
  on conflict do nothing
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.labels_of_call(of_tenant uuid, of_call text)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog'
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
AS $function$
begin
  return (
    select jsonb_object_agg(latest.name, latest.value)
    from (
      select distinct on (given.name) given.name, given.value
      from hopwhistle.call_events e
      cross join lateral jsonb_each_text(e.metadata -> 0) as given (name, value)
      where e.tenant_id = of_tenant and e.call_id = of_call
      order by given.name, e.occurred_at desc, given.value collate "C" desc
    ) latest);
end
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.lease_webhooks(lease uuid, held uuid[], for_ms integer, at_most integer)
 RETURNS TABLE(webhook jsonb, waiting jsonb)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog'
AS $function$
begin
  perform set_config('synchronous_commit', 'local', true);
  return query
  with kept as (
    update hopwhistle.webhooks w set leased_until = clock_timestamp() + for_ms * interval '1 millisecond'
    where w.id = any (held) and w.leased_by = lease and w.state = 'active'
    returning w.id, w.version
  ),
  taken as (
    update hopwhistle.webhooks w
    set leased_by = lease, leased_until = clock_timestamp() + for_ms * interval '1 millisecond'
    where w.id = any (array(
      select o.id from hopwhistle.webhooks o
      where o.state = 'active' and o.leased_until < clock_timestamp() and o.id <> all (held)
      order by o.leased_until limit at_most for update skip locked))
    returning w.*
  )
  select jsonb_build_object('id', k.id, 'version', k.version), null::jsonb from kept k
  union all
  select jsonb_build_object('id', t.id, 'version', t.version, 'tenantId', t.tenant_id, 'url', t.url,
      'patterns', t.patterns, 'secret', encode(t.secret, 'hex'), 'previousSecret', encode(t.previous_secret, 'hex'),
      'previousUntil', t.previous_until, 'batch', t.at_batch, 'place', t.at_place, 'failingSince', t.failing_since,
      'failures', t.failures, 'retryAt', t.retry_at, 'deliveredAt', t.delivered_at, 'recent', t.recent),
    (select jsonb_agg(jsonb_build_object('batch', q.batch_id, 'place', q.place, 'eventId', q.event_id,
        'callId', q.call_id, 'sequence', q.sequence, 'attempts', q.attempts, 'firstTriedAt', q.first_tried_at,
        'retryAt', q.retry_at) order by q.batch_id, q.place)
      from hopwhistle.webhook_waiting q where q.webhook_id = t.id)
  from taken t;
end
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.lock_outbox(batch_ids bigint[])
 RETURNS TABLE(batch_id bigint, tenant_id uuid, event_ids text[], sequences integer[])
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog'
 SET enable_seqscan TO 'off'
AS $function$
  select o.batch_id, o.tenant_id, o.event_ids, o.sequences
  from hopwhistle.outbox o
  where o.batch_id = any (batch_ids)
  order by o.batch_id
  for update skip locked
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.lock_stale_outbox(older_than interval, at_most integer)
 RETURNS TABLE(batch_id bigint, tenant_id uuid, event_ids text[], sequences integer[], created_at timestamp with time zone)
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog'
AS $function$
  select o.batch_id, o.tenant_id, o.event_ids, o.sequences, o.created_at
  from hopwhistle.outbox o
  where o.created_at < now() - older_than
  order by o.batch_id
  limit at_most
  for update skip locked
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.make_browser_token(of_key uuid, new_hash bytea, new_scopes text[], new_end timestamp with time zone, most integer)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog'
AS $function$
begin
  delete from hopwhistle.browser_tokens where key_id = of_key and ends_at <= now();
  if (select count(*) from hopwhistle.browser_tokens where key_id = of_key) >= most then
    return false;
  end if;
  insert into hopwhistle.browser_tokens (token_hash, key_id, scopes, ends_at)
  values (new_hash, of_key, new_scopes, new_end);
  return true;
end
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.metadata_without(metadata jsonb, pattern text)
 RETURNS jsonb
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_catalog'
AS $function$
  select case
    when metadata is null then null
    when jsonb_typeof(metadata) <> 'array' then case when metadata::text ~ pattern then null else metadata end
    else jsonb_build_array(
      (select coalesce(jsonb_object_agg(l.name, l.value), '{}')
       from jsonb_each_text(metadata -> 0) as l (name, value) where l.value !~ pattern),
      case when (metadata -> 1)::text ~ pattern then null else metadata -> 1 end)
  end
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.normal_number(given text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN (given ~ '[^+0-9]'::text) THEN hopwhistle.number_in(given) ELSE given END
;

CREATE OR REPLACE FUNCTION hopwhistle.note_changed_calls(of_tenant uuid, calls text[])
 RETURNS void
 LANGUAGE sql
 SET search_path TO 'pg_catalog'
AS $function$
  insert into hopwhistle.call_metrics_pending (
    tenant_id, hour, calls, initiated, ringing, answered, completed, busy, no_answer, failed, canceled,
    inbound, outbound, connected, ring_count, talk_count, ring_total_ms, talk_total_ms, changed_calls, changed_sequences)
  select of_tenant, date_trunc('hour', min(c.started_at), 'UTC'), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    array_agg(c.call_id), array_agg(c.sequence)
  from hopwhistle.calls c
  where c.tenant_id = of_tenant and c.call_id = any (calls)
  having count(*) > 0
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.note_key_use(used uuid[])
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog'
AS $function$
  update hopwhistle.api_keys set last_used_at = now()
  where id = any (used) and (last_used_at is null or last_used_at < now() - interval '1 minute')
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.number_in(given text)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE STRICT
 SET search_path TO 'pg_catalog'
AS $function$
declare
  found text[] := regexp_match(given collate "C",
    '^(?:(?:tel|sips?):(?:\+|%2b)([-. ()/0-9]+)(?:[;@?:].*)?|\+([-. ()/0-9]+))$', 'i');
  written text := coalesce(found[1], found[2]);
  digits text := translate(written, '-. ()/', '');
begin
  if written is null or position('(0)' in written) > 0 or digits !~ '^[1-9][0-9]{1,14}$' then
    return given;
  end if;
  return '+' || digits;
end
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.outbox_position(OUT numbered bigint, OUT oldest bigint, OUT next bigint)
 RETURNS record
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog'
AS $function$
begin
  select case when s.is_called then s.last_value else 0 end into numbered from hopwhistle.outbox_batch_id_seq s;
  select pg_snapshot_xmin(s)::text::bigint, pg_snapshot_xmax(s)::text::bigint into oldest, next
  from pg_current_snapshot() s;
end
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.outbox_writers(OUT numbered bigint, OUT writers text[])
 RETURNS record
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog'
AS $function$
begin
  select case when s.is_called then s.last_value else 0 end into numbered from hopwhistle.outbox_batch_id_seq s;
  select coalesce(array_agg(l.virtualtransaction), '{}') into writers
  from pg_locks l
  where l.locktype = 'relation' and l.relation = 'hopwhistle.outbox'::regclass and l.mode = 'RowExclusiveLock'
    and l.database = (select d.oid from pg_database d where d.datname = current_database());
end
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.progress_before(state smallint, ended_at timestamp with time zone)
 RETURNS bigint
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE
AS $function$
begin
  return case
    when state < 3 then state
    else 4503599627370496 - (pg_catalog.date_part('epoch', ended_at) * 1000)::bigint * 8 + state
  end;
end
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.progresses_before(states smallint[], occurred_ms bigint[])
 RETURNS bigint[]
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN ARRAY(SELECT hopwhistle.progress_before(given.state, to_timestamp(((given.occurred)::double precision / (1000.0)::double precision))) AS progress_before FROM UNNEST(progresses_before.states, progresses_before.occurred_ms) WITH ORDINALITY given(state, occurred, place) ORDER BY given.place)
;

CREATE OR REPLACE FUNCTION hopwhistle.quarter_count_code(count bigint)
 RETURNS integer
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN (CASE WHEN (count < 0) THEN (1114111 + GREATEST(count, ('-100000'::integer)::bigint)) WHEN (count < 55264) THEN (32 + count) ELSE (2080 + LEAST(count, (1000000)::bigint)) END)::integer
;

CREATE OR REPLACE FUNCTION hopwhistle.refuse_full_call()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  raise exception using errcode = 'HW001', message = 'a call has too many events';
end
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.release_webhooks(lease uuid, held uuid[])
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog'
AS $function$
  update hopwhistle.webhooks w set leased_until = '-infinity' where w.id = any (held) and w.leased_by = lease
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.settle_webhook(lease uuid, of_webhook uuid, of_version integer, given jsonb)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog'
AS $function$
begin
  perform set_config('synchronous_commit', 'local', true);
  perform set_config('hopwhistle.by_whom', 'the platform', true);
  update hopwhistle.webhooks w
  set at_batch = (given ->> 'batch')::bigint, at_place = (given ->> 'place')::integer,
    failing_since = (given ->> 'failingSince')::timestamptz, failures = (given ->> 'failures')::integer,
    retry_at = (given ->> 'retryAt')::timestamptz, delivered_at = (given ->> 'deliveredAt')::timestamptz,
    recent = given -> 'recent'
  where w.id = of_webhook and w.leased_by = lease and w.version = of_version and w.state = 'active';
  if not found then
    return false;
  end if;
  delete from hopwhistle.webhook_waiting t
  using jsonb_to_recordset(given -> 'gone') as g (batch bigint, place integer)
  where t.webhook_id = of_webhook and t.batch_id = g.batch and t.place = g.place;
  insert into hopwhistle.webhook_waiting as t (
    webhook_id, batch_id, place, event_id, call_id, sequence, attempts, first_tried_at, retry_at)
  select of_webhook, g.batch, g.place, g."eventId", g."callId", g.sequence, g.attempts, g."firstTriedAt", g."retryAt"
  from jsonb_to_recordset(given -> 'waiting') as g (batch bigint, place integer, "eventId" text, "callId" text,
    sequence integer, attempts integer, "firstTriedAt" timestamptz, "retryAt" timestamptz)
  on conflict (webhook_id, batch_id, place) do update set
    attempts = excluded.attempts, first_tried_at = excluded.first_tried_at, retry_at = excluded.retry_at;
  if given ->> 'disable' is not null then
    update hopwhistle.webhooks w
    set state = 'disabled', disabled_because = given ->> 'disable', version = w.version + 1
    where w.id = of_webhook;
  end if;
  return true;
end
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.split_hour(OUT tenant_id uuid, OUT hour timestamp with time zone, OUT finished boolean)
 RETURNS record
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog'
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
 SET jit TO 'off'
AS $function$
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
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.stale_before(of_tenant uuid)
 RETURNS timestamp with time zone
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog'
AS $function$
  select date_trunc('hour', now() - coalesce(t.stale_after_hours, 24) * interval '1 hour', 'UTC')
  from hopwhistle.tenants t where t.id = of_tenant
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.wait_for_replication()
 RETURNS void
 LANGUAGE sql
 SET search_path TO 'pg_catalog'
AS $function$
  select pg_logical_emit_message(true, 'hopwhistle', '')
  where current_setting('synchronous_standby_names') <> ''
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.write_call_events(tenant_ids uuid[], event_ids text[], call_ids text[], states smallint[], occurred_ms bigint[], received_us bigint[], directions smallint[], from_numbers text[], to_numbers text[], metadatas text[], OUT places smallint[], OUT outcomes text, OUT call_states text, OUT batch_ids bigint[], OUT batch_tenants uuid[])
 RETURNS record
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog'
AS $function$
begin
  select w.places, w.outcomes, w.call_states, w.batch_ids, w.batch_tenants
  into places, outcomes, call_states, batch_ids, batch_tenants
  from hopwhistle.write_call_events(
    tenant_ids, event_ids, call_ids, states, occurred_ms, received_us, directions, from_numbers, to_numbers, metadatas,
    array_fill(null::boolean, array[cardinality(event_ids)]), hopwhistle.progresses_before(states, occurred_ms)) w;
end
$function$
;

CREATE OR REPLACE FUNCTION hopwhistle.write_call_events(tenant_ids uuid[], event_ids text[], call_ids text[], states smallint[], occurred_ms bigint[], received_us bigint[], directions smallint[], from_numbers text[], to_numbers text[], metadatas text[], corrections boolean[], progresses bigint[], OUT places smallint[], OUT outcomes text, OUT call_states text, OUT sequences integer[], OUT batch_ids bigint[], OUT batch_tenants uuid[])
 RETURNS record
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog'
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_nestloop TO 'off'
 SET enable_mergejoin TO 'off'
 SET jit TO 'off'
AS $function$
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
    on conflict do nothing
    returning tenant_id, event_id, call_id, state, occurred_at, received_at, direction, from_number, to_number, corrects,
      place
  ),
  -- prior_progress: how far the events before it in this batch take the call; null for the first.
  arrived as (
    select tenant_id, call_id, event_id, place, progresses[place] as progress,
      max(progresses[place]) over before_it as prior_progress,
      row_number() over before_it - count(*) over (partition by tenant_id, call_id) as before_last
    from fresh
    window before_it as (partition by tenant_id, call_id order by place rows between unbounded preceding and 1 preceding)
  ),
  folded as (
    select tenant_id, call_id,
      max(progresses[place]) as progress,
      min(occurred_at) as started_at,
      min(occurred_at) filter (where state = 0) as initiated_at,
      min(occurred_at) filter (where state = 1) as ringing_at,
      min(occurred_at) filter (where state = 2) as answered_at,
      min(occurred_at) filter (where state >= 3) as ended_at,
      max(received_at) as updated_at,
      min(direction) as direction,
      min(hopwhistle.normal_number(from_number)) as from_number,
      min(hopwhistle.normal_number(to_number)) as to_number,
      count(*)::integer as events
    from fresh
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
      date_bin('15 minutes', started_at, '2000-01-01T00:00:00Z') as hour,
      hopwhistle.elapsed_ms(least(initiated_at, ringing_at), answered_at) as ring_ms,
      talk_ms,
      previous_state, previous_direction, previous_answered_at,
      date_bin('15 minutes', previous_started_at, '2000-01-01T00:00:00Z') as previous_hour,
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
$function$
;

-- Owners and privileges

-- function audit_callback: owner hopwhistle_owner; execute to public

-- function audit_key: owner hopwhistle_owner; execute to public

-- function audit_tenant: owner hopwhistle_owner; execute to public

-- function audit_webhook: owner hopwhistle_owner; execute to public

-- function authenticate: owner hopwhistle_owner; execute to hopwhistle_api

-- function begin_fold_pass: owner hopwhistle_owner; execute to hopwhistle_api

-- function bucket_estimate_ms: owner hopwhistle_owner; execute to public

-- function change_before: owner hopwhistle_owner; execute to hopwhistle_api

-- function change_webhook: owner hopwhistle_owner; execute to hopwhistle_api

-- function conflicts_aside: owner hopwhistle_owner; execute to hopwhistle_api

-- function count_webhooks: owner hopwhistle_owner; execute to hopwhistle_api

-- function declare_labels: owner hopwhistle_owner; execute to hopwhistle_api

-- function declared_labels: owner hopwhistle_owner; execute to hopwhistle_api

-- function duration_bucket: owner hopwhistle_owner; execute to public

-- function elapsed_ms: owner hopwhistle_owner; execute to public

-- function end_fold_pass: owner hopwhistle_owner; execute to hopwhistle_api

-- function events_past_full_calls: owner hopwhistle_owner; execute to hopwhistle_api

-- function find_browser_token: owner hopwhistle_owner; execute to hopwhistle_api

-- function find_provider_callback: owner hopwhistle_owner; execute to hopwhistle_api

-- function find_stale_outbox: owner hopwhistle_owner; execute to hopwhistle_api

-- function find_webhook_news: owner hopwhistle_owner; execute to hopwhistle_api

-- function fold_call_metrics: owner hopwhistle_owner; execute to hopwhistle_api

-- function fold_call_metrics: owner hopwhistle_owner; execute to hopwhistle_api

-- function fold_histogram: owner hopwhistle_owner; execute to public

-- function fold_labels: owner hopwhistle_owner

-- function fold_labels_at_commit: owner hopwhistle_owner; execute to hopwhistle_api

-- function fold_quarter_histogram: owner hopwhistle_owner; execute to public

-- function forget_old_calls: owner hopwhistle_owner; execute to hopwhistle_api

-- function forget_old_changes: owner hopwhistle_owner; execute to hopwhistle_api

-- function forget_published: owner hopwhistle_owner; execute to hopwhistle_api

-- function forget_webhook_log: owner hopwhistle_owner; execute to hopwhistle_api

-- function keep_events_aside: owner hopwhistle_owner; execute to hopwhistle_api

-- function labels_of_call: owner hopwhistle_owner

-- function lease_webhooks: owner hopwhistle_owner; execute to hopwhistle_api

-- function lock_outbox: owner hopwhistle_owner; execute to hopwhistle_api

-- function lock_stale_outbox: owner hopwhistle_owner; execute to hopwhistle_api

-- function make_browser_token: owner hopwhistle_owner; execute to hopwhistle_api

-- function metadata_without: owner hopwhistle_owner

-- function normal_number: owner hopwhistle_owner; execute to hopwhistle_api

-- function note_changed_calls: owner hopwhistle_owner

-- function note_key_use: owner hopwhistle_owner; execute to hopwhistle_api

-- function number_in: owner hopwhistle_owner; execute to hopwhistle_api

-- function outbox_position: owner hopwhistle_owner; execute to hopwhistle_api

-- function outbox_writers: owner hopwhistle_owner; execute to hopwhistle_api

-- function progress_before: owner hopwhistle_owner; execute to public

-- function progresses_before: owner hopwhistle_owner; execute to public

-- function quarter_count_code: owner hopwhistle_owner; execute to public

-- function refuse_full_call: owner hopwhistle_owner; execute to public

-- function release_webhooks: owner hopwhistle_owner; execute to hopwhistle_api

-- function settle_webhook: owner hopwhistle_owner; execute to hopwhistle_api

-- function split_hour: owner hopwhistle_owner; execute to hopwhistle_api

-- function stale_before: owner hopwhistle_owner; execute to hopwhistle_api

-- function wait_for_replication: owner hopwhistle_owner; execute to hopwhistle_api

-- function write_call_events: owner hopwhistle_owner; execute to hopwhistle_api

-- function write_call_events: owner hopwhistle_owner; execute to hopwhistle_api

-- procedure commit_browser_token: owner hopwhistle_owner; execute to hopwhistle_api

-- procedure commit_call_event: owner hopwhistle_owner; execute to hopwhistle_api

-- procedure commit_call_event: owner hopwhistle_owner; execute to hopwhistle_api

-- procedure commit_call_events: owner hopwhistle_owner; execute to hopwhistle_api

-- procedure commit_call_events: owner hopwhistle_owner; execute to hopwhistle_api

-- procedure commit_declared_labels: owner hopwhistle_owner; execute to hopwhistle_api

-- procedure commit_events_aside: owner hopwhistle_owner; execute to hopwhistle_api

-- procedure commit_events_aside: owner hopwhistle_owner; execute to hopwhistle_api

-- procedure commit_labelled_call_event: owner hopwhistle_owner; execute to hopwhistle_api

-- procedure commit_labelled_call_events: owner hopwhistle_owner; execute to hopwhistle_api

-- procedure commit_webhook: owner hopwhistle_owner; execute to hopwhistle_api

-- schema hopwhistle: owner hopwhistle_owner; usage to hopwhistle_api

-- table api_keys: owner hopwhistle_owner

-- table browser_tokens: owner hopwhistle_owner

-- table call_changes: owner hopwhistle_owner; select to hopwhistle_api

-- table call_changes_kept: owner hopwhistle_owner; select to hopwhistle_api

-- table call_events: owner hopwhistle_owner; insert+select+update to hopwhistle_api

-- table call_metrics_daily: owner hopwhistle_owner; select to hopwhistle_api

-- table call_metrics_hourly: owner hopwhistle_owner; select to hopwhistle_api

-- table call_metrics_pending: owner hopwhistle_owner; insert+select to hopwhistle_api

-- table call_metrics_quarterly: owner hopwhistle_owner; select to hopwhistle_api

-- table calls: owner hopwhistle_owner; insert+select+update to hopwhistle_api

-- table erasures: owner hopwhistle_owner

-- table events_aside: owner hopwhistle_owner

-- table key_audit: owner hopwhistle_owner

-- table labels_to_fold: owner hopwhistle_owner

-- table migrations: owner hopwhistle_owner

-- table outbox: owner hopwhistle_owner; insert+select to hopwhistle_api

-- table provider_callbacks: owner hopwhistle_owner

-- table quarters_since: owner hopwhistle_owner; select to hopwhistle_api

-- table retention: owner hopwhistle_owner

-- table rollup_folding: owner hopwhistle_owner; select to hopwhistle_api

-- table tenant_audit: owner hopwhistle_owner

-- table tenants: owner hopwhistle_owner; select to hopwhistle_api

-- table token_keys: owner hopwhistle_owner

-- table webhook_audit: owner hopwhistle_owner

-- table webhook_log: owner hopwhistle_owner; select to hopwhistle_api

-- table webhook_waiting: owner hopwhistle_owner

-- table webhooks: owner hopwhistle_owner; select to hopwhistle_api
