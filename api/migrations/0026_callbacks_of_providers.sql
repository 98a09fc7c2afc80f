-- step
set local role hopwhistle_owner;

-- Where a provider reports a tenant's calls. Of the id in its URL only the hash is kept; the secret by which the provider signs
-- is encrypted by the API, with a key that is not in the database.
create table if not exists hopwhistle.provider_callbacks (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null references hopwhistle.tenants (id) on delete cascade,
  provider text not null,
  name text not null,
  callback_hash bytea not null unique,
  sealed_secret bytea not null,
  made_at timestamptz not null default now(),
  ended_at timestamptz,
  constraint provider_callbacks_hash_is_sha256 check (octet_length(callback_hash) = 32)
);
comment on column hopwhistle.provider_callbacks.ended_at is 'from then on what comes there is refused; null: it works';
create index if not exists provider_callbacks_tenant on hopwhistle.provider_callbacks (tenant_id);
alter table hopwhistle.provider_callbacks enable row level security, force row level security;
drop policy if exists owner_sees_all on hopwhistle.provider_callbacks;
create policy owner_sees_all on hopwhistle.provider_callbacks to hopwhistle_owner using (true) with check (true);

-- Whose a callback is; no row when there is none of this provider, or it has ended.
create or replace function hopwhistle.find_provider_callback(wanted bytea, of_provider text)
  returns table (id uuid, tenant_id uuid, sealed_secret bytea, tenant_rate integer)
  language sql stable strict security definer rows 1
  set search_path = pg_catalog
as $$
  select c.id, c.tenant_id, c.sealed_secret, t.events_per_second
  from hopwhistle.provider_callbacks c
  join hopwhistle.tenants t on t.id = c.tenant_id
  where c.callback_hash = wanted and c.provider = of_provider and c.ended_at is null
$$;
revoke all on function hopwhistle.find_provider_callback(bytea, text) from public;
grant execute on function hopwhistle.find_provider_callback(bytea, text) to hopwhistle_api;

-- step
set local role hopwhistle_owner;
-- What became of callbacks is on the same list as what became of keys: both let somebody write.
alter table hopwhistle.key_audit
  drop constraint if exists key_audit_action_is_known,
  add constraint key_audit_action_is_known check (action in (
    'made', 'rotated', 'ended', 'restored', 'deleted', 'callback made', 'callback ended', 'callback deleted')) not valid;

-- step outside of a transaction
alter table hopwhistle.key_audit validate constraint key_audit_action_is_known;

-- step
set local role hopwhistle_owner;
create or replace function hopwhistle.audit_callback() returns trigger
  language plpgsql security definer
  set search_path = pg_catalog
as $$
declare
  one hopwhistle.provider_callbacks := coalesce(new, old);
begin
  insert into hopwhistle.key_audit (action, key_id, tenant_id, by_whom, ends_at)
  values (
    case tg_op when 'INSERT' then 'callback made' when 'UPDATE' then 'callback ended' else 'callback deleted' end,
    one.id, one.tenant_id, nullif(current_setting('hopwhistle.by_whom', true), ''), one.ended_at);
  return null;
end
$$;
create or replace trigger audit_callback
  after insert or delete on hopwhistle.provider_callbacks
  for each row execute function hopwhistle.audit_callback();
create or replace trigger audit_end_of_callback
  after update of ended_at on hopwhistle.provider_callbacks
  for each row when (new.ended_at is distinct from old.ended_at) execute function hopwhistle.audit_callback();
