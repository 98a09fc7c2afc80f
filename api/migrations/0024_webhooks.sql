set local role hopwhistle_owner;

-- Events to URLs of tenants: see docs/decisions/0018-webhooks-read-the-outbox.md.
create table if not exists hopwhistle.webhooks (
  id uuid primary key,
  tenant_id uuid not null,
  url text not null,
  patterns text[] not null,
  description text,
  state text not null default 'active',
  disabled_because text,
  secret bytea not null,
  previous_secret bytea,
  previous_until timestamptz,
  created_at timestamptz not null default now(),
  replayed_at timestamptz,
  version integer not null default 1,
  kept_from bigint not null,
  at_batch bigint not null,
  at_place integer not null default 2147483647,
  failing_since timestamptz,
  failures integer not null default 0,
  retry_at timestamptz,
  delivered_at timestamptz,
  recent jsonb not null default '[]',
  leased_by uuid,
  leased_until timestamptz not null default '-infinity',
  constraint webhooks_state check (state in ('active', 'paused', 'disabled'))
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
comment on column hopwhistle.webhooks.secret is 'encrypted with a key of WEBHOOK_KEYS, which the database does not have';
comment on column hopwhistle.webhooks.version is 'another one with every change: who delivers by an older one stops';
comment on column hopwhistle.webhooks.kept_from is 'the log of its tenant has every batch after this one';
comment on column hopwhistle.webhooks.at_batch is 'with at_place: every event up to here is delivered, given up, or in webhook_waiting';
comment on column hopwhistle.webhooks.failing_since is 'nothing was delivered since, and something failed';
comment on column hopwhistle.webhooks.recent is 'the latest attempts, without content';
comment on column hopwhistle.webhooks.leased_until is 'until then only the instance with the lease delivers';
create index if not exists webhooks_tenant on hopwhistle.webhooks (tenant_id);
alter table hopwhistle.webhooks enable row level security, force row level security;
drop policy if exists owner_sees_all on hopwhistle.webhooks;
create policy owner_sees_all on hopwhistle.webhooks to hopwhistle_owner using (true) with check (true);
drop policy if exists api_sees_its_tenants on hopwhistle.webhooks;
create policy api_sees_its_tenants on hopwhistle.webhooks for select to hopwhistle_api
  using (tenant_id = any ((select nullif(current_setting('hopwhistle.tenant_ids', true), '')::uuid[])::uuid[]));
grant select on hopwhistle.webhooks to hopwhistle_api;

-- Events of which an attempt failed, and those of the same call after them. What they say is read from the events again.
create table if not exists hopwhistle.webhook_waiting (
  webhook_id uuid not null references hopwhistle.webhooks (id) on delete cascade,
  batch_id bigint not null,
  place integer not null,
  event_id text collate "C" not null,
  call_id text collate "C" not null,
  sequence integer,
  attempts integer not null,
  first_tried_at timestamptz,
  retry_at timestamptz,
  primary key (webhook_id, batch_id, place)
);
alter table hopwhistle.webhook_waiting enable row level security, force row level security;
drop policy if exists owner_sees_all on hopwhistle.webhook_waiting;
create policy owner_sees_all on hopwhistle.webhook_waiting to hopwhistle_owner using (true) with check (true);

-- Batches of tenants with webhooks, from when they leave the outbox on.
create table if not exists hopwhistle.webhook_log (
  tenant_id uuid not null,
  batch_id bigint not null,
  created_at timestamptz not null,
  event_ids text[] not null,
  sequences integer[],
  primary key (tenant_id, batch_id)
) with (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 5000);
alter table hopwhistle.webhook_log enable row level security, force row level security;
drop policy if exists owner_sees_all on hopwhistle.webhook_log;
create policy owner_sees_all on hopwhistle.webhook_log to hopwhistle_owner using (true) with check (true);
drop policy if exists api_sees_its_tenants on hopwhistle.webhook_log;
create policy api_sees_its_tenants on hopwhistle.webhook_log for select to hopwhistle_api
  using (tenant_id = any ((select nullif(current_setting('hopwhistle.tenant_ids', true), '')::uuid[])::uuid[]));
grant select on hopwhistle.webhook_log to hopwhistle_api;

-- What became of webhooks and by whom, without their addresses: the latest 1,000 entries of each tenant.
create table if not exists hopwhistle.webhook_audit (
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  action text not null,
  webhook_id uuid not null,
  tenant_id uuid not null,
  by_whom text,
  by_role text not null default session_user,
  constraint webhook_audit_action_is_known check (
    action in ('made', 'changed', 'rotated', 'active', 'paused', 'disabled', 'replayed', 'deleted'))
);
comment on table hopwhistle.webhook_audit is 'what became of webhooks, when and by whom';
create index if not exists webhook_audit_tenant on hopwhistle.webhook_audit (tenant_id, id);
alter table hopwhistle.webhook_audit enable row level security, force row level security;
drop policy if exists owner_sees_all on hopwhistle.webhook_audit;
create policy owner_sees_all on hopwhistle.webhook_audit to hopwhistle_owner using (true) with check (true);

-- Written by the table itself, so that nobody forgets it.
create or replace function hopwhistle.audit_webhook() returns trigger
  language plpgsql security definer
  set search_path = pg_catalog
as $$
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
$$;
create or replace trigger audit_webhook
  after insert or delete or update of url, patterns, description, state, secret, replayed_at on hopwhistle.webhooks
  for each row execute function hopwhistle.audit_webhook();

-- As in 0006. The batches of a tenant with webhooks move into their log. They move in one statement, so a statement that
-- reads both tables sees each batch in one of them.
--
-- The size of the table is asked first: where nobody ever had a webhook it is 0, and asking that runs no query.
create or replace function hopwhistle.forget_published(published bigint[]) returns void
  language plpgsql security definer
  set search_path = pg_catalog
  set plan_cache_mode = force_generic_plan
  set enable_seqscan = off
as $$
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
$$;

-- How far batches are numbered, and the transactions that may still commit one of those numbers: those from `oldest` on that
-- are below `next`. Once `oldest` has reached a `next`, every batch up to its `numbered` is committed or never will be.
-- The number is read first: a transaction that has one is then in the snapshot.
create or replace function hopwhistle.outbox_position(out numbered bigint, out oldest bigint, out next bigint)
  language plpgsql volatile security definer
  set search_path = pg_catalog
as $$
begin
  select case when s.is_called then s.last_value else 0 end into numbered from hopwhistle.outbox_batch_id_seq s;
  select pg_snapshot_xmin(s)::text::bigint, pg_snapshot_xmax(s)::text::bigint into oldest, next
  from pg_current_snapshot() s;
end
$$;

-- The same without snapshots, which have the transactions of all databases in them, also those that write no batch: who
-- holds a lock that only writers of the outbox take. It looks at every lock of the server, so it is asked only when a
-- snapshot does not settle. A lock is taken before the number, and released when what was committed can be seen.
create or replace function hopwhistle.outbox_writers(out numbered bigint, out writers text[])
  language plpgsql volatile security definer
  set search_path = pg_catalog
as $$
begin
  select case when s.is_called then s.last_value else 0 end into numbered from hopwhistle.outbox_batch_id_seq s;
  select coalesce(array_agg(l.virtualtransaction), '{}') into writers
  from pg_locks l
  where l.locktype = 'relation' and l.relation = 'hopwhistle.outbox'::regclass and l.mode = 'RowExclusiveLock'
    and l.database = (select d.oid from pg_database d where d.datname = current_database());
end
$$;

-- All that the API and the operator may do with a webhook of a tenant; null when there is none. `given` has what is new.
create or replace function hopwhistle.change_webhook(
  action text, of_tenant uuid, of_webhook uuid, by_whom text, most integer, given jsonb
)
  returns text
  language plpgsql volatile security definer
  set search_path = pg_catalog
as $$
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
$$;

create or replace procedure hopwhistle.commit_webhook(
  action text, of_tenant uuid, of_webhook uuid, by_whom text, most integer, given jsonb, inout answer text
)
  language plpgsql
as $$
begin
  answer := hopwhistle.change_webhook(action, of_tenant, of_webhook, by_whom, most, given);
  commit;
end
$$;

-- Extends the leases that an instance has, and takes some that nobody has. What waits comes with those that are new.
create or replace function hopwhistle.lease_webhooks(lease uuid, held uuid[], for_ms integer, at_most integer)
  returns table (webhook jsonb, waiting jsonb)
  language plpgsql volatile security definer
  set search_path = pg_catalog
as $$
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
$$;

create or replace function hopwhistle.release_webhooks(lease uuid, held uuid[]) returns void
  language sql volatile security definer
  set search_path = pg_catalog
as $$
  update hopwhistle.webhooks w set leased_until = '-infinity' where w.id = any (held) and w.leased_by = lease
$$;

-- How many there are of each state, for metrics; and whether somebody has to look for leases at all.
create or replace function hopwhistle.count_webhooks(out active integer, out failing integer, out paused integer, out disabled integer)
  language sql stable security definer
  set search_path = pg_catalog
as $$
  select count(*) filter (where state = 'active' and failing_since is null),
    count(*) filter (where state = 'active' and failing_since is not null),
    count(*) filter (where state = 'paused'), count(*) filter (where state = 'disabled')
  from hopwhistle.webhooks
$$;

-- Which of these tenants have batches after theirs, up to one that is settled.
create or replace function hopwhistle.find_webhook_news(tenants uuid[], after_batches bigint[], up_to bigint)
  returns integer[]
  language sql stable security definer
  set search_path = pg_catalog
  set enable_seqscan = off
as $$
  select array(
    select asked.n::integer
    from unnest(tenants, after_batches) with ordinality as asked (tenant_id, after_batch, n)
    where exists (
        select from hopwhistle.webhook_log l
        where l.tenant_id = asked.tenant_id and l.batch_id >= asked.after_batch and l.batch_id <= up_to)
      or exists (
        select from hopwhistle.outbox o
        where o.tenant_id = asked.tenant_id and o.batch_id >= asked.after_batch and o.batch_id <= up_to))
$$;

-- Writes down what has become of deliveries. False when another instance has the lease by now, or the webhook has changed:
-- then nothing is written.
create or replace function hopwhistle.settle_webhook(lease uuid, of_webhook uuid, of_version integer, given jsonb)
  returns boolean
  language plpgsql volatile security definer
  set search_path = pg_catalog
as $$
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
$$;

-- Deletes what is too old of the log, and all of tenants that have no webhook any more. Plan: webhook_log_pkey, from each
-- tenant's oldest batch on.
create or replace function hopwhistle.forget_webhook_log(keep interval, at_most integer) returns integer
  language plpgsql volatile security definer
  set search_path = pg_catalog
  set enable_seqscan = off
  set enable_hashjoin = off
  set enable_mergejoin = off
as $$
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
$$;

revoke all on function hopwhistle.outbox_position(), hopwhistle.outbox_writers(),
  hopwhistle.change_webhook(text, uuid, uuid, text, integer, jsonb),
  hopwhistle.lease_webhooks(uuid, uuid[], integer, integer), hopwhistle.release_webhooks(uuid, uuid[]),
  hopwhistle.count_webhooks(), hopwhistle.find_webhook_news(uuid[], bigint[], bigint),
  hopwhistle.settle_webhook(uuid, uuid, integer, jsonb), hopwhistle.forget_webhook_log(interval, integer) from public;
grant execute on function hopwhistle.outbox_position(), hopwhistle.outbox_writers(),
  hopwhistle.change_webhook(text, uuid, uuid, text, integer, jsonb),
  hopwhistle.lease_webhooks(uuid, uuid[], integer, integer), hopwhistle.release_webhooks(uuid, uuid[]),
  hopwhistle.count_webhooks(), hopwhistle.find_webhook_news(uuid[], bigint[], bigint),
  hopwhistle.settle_webhook(uuid, uuid, integer, jsonb), hopwhistle.forget_webhook_log(interval, integer)
  to hopwhistle_api;
revoke all on procedure hopwhistle.commit_webhook(text, uuid, uuid, text, integer, jsonb, text) from public;
grant execute on procedure hopwhistle.commit_webhook(text, uuid, uuid, text, integer, jsonb, text) to hopwhistle_api;
