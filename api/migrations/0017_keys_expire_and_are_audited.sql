-- step
set local role hopwhistle_owner;

alter table hopwhistle.api_keys
  add column if not exists expires_at timestamptz,
  add column if not exists last_used_at timestamptz,
  add column if not exists replaces uuid references hopwhistle.api_keys (id) on delete set null;
comment on column hopwhistle.api_keys.revoked_at is
  'from then on the key is refused; later than now while it is being replaced by another, or when it was made to expire';
comment on column hopwhistle.api_keys.expires_at is 'the end that it was made with; null: none. revoked_at is not later';
comment on column hopwhistle.api_keys.last_used_at is 'to the minute; null: never';
comment on column hopwhistle.api_keys.replaces is 'the key in whose place it was made';

-- What became of keys and by whom, kept also when a key and its tenant are deleted.
create table if not exists hopwhistle.key_audit (
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  action text not null,
  key_id uuid not null,
  tenant_id uuid not null,
  -- Who said it was: set by `npm run keys`.
  by_whom text,
  -- As what that was connected to the database.
  by_role text not null default session_user,
  ends_at timestamptz,
  replaces uuid,
  constraint key_audit_action_is_known check (action in ('made', 'rotated', 'ended', 'restored', 'deleted'))
);
comment on table hopwhistle.key_audit is 'what became of keys, when and by whom';
create index if not exists key_audit_tenant on hopwhistle.key_audit (tenant_id, id);
alter table hopwhistle.key_audit enable row level security, force row level security;
drop policy if exists owner_sees_all on hopwhistle.key_audit;
create policy owner_sees_all on hopwhistle.key_audit to hopwhistle_owner using (true) with check (true);

-- Written by the table itself, so that nobody forgets it.
create or replace function hopwhistle.audit_key() returns trigger
  language plpgsql security definer
  set search_path = pg_catalog
as $$
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
$$;
create or replace trigger audit_key
  after insert or delete on hopwhistle.api_keys
  for each row execute function hopwhistle.audit_key();
create or replace trigger audit_end_of_key
  after update of revoked_at on hopwhistle.api_keys
  for each row when (new.revoked_at is distinct from old.revoked_at) execute function hopwhistle.audit_key();

-- The API says which keys were used; it may change nothing else of a key.
create or replace function hopwhistle.note_key_use(used uuid[]) returns void
  language sql security definer
  set search_path = pg_catalog
as $$
  update hopwhistle.api_keys set last_used_at = now()
  where id = any (used) and (last_used_at is null or last_used_at < now() - interval '1 minute')
$$;
revoke all on function hopwhistle.note_key_use(uuid[]) from public;
grant execute on function hopwhistle.note_key_use(uuid[]) to hopwhistle_api;

-- What keys made for pages. As of a key, only the hash is kept: who has a copy of the database cannot use one, nor make one.
create table if not exists hopwhistle.browser_tokens (
  token_hash bytea primary key,
  key_id uuid not null references hopwhistle.api_keys (id) on delete cascade,
  scopes text[] not null,
  ends_at timestamptz not null,
  constraint browser_tokens_token_hash_is_sha256 check (octet_length(token_hash) = 32)
);
create index if not exists browser_tokens_key on hopwhistle.browser_tokens (key_id, ends_at);

-- False when the key has as many tokens that work as it may.
create or replace function hopwhistle.make_browser_token(
  of_key uuid, new_hash bytea, new_scopes text[], new_end timestamptz, most integer
)
  returns boolean
  language plpgsql security definer
  set search_path = pg_catalog
as $$
begin
  delete from hopwhistle.browser_tokens where key_id = of_key and ends_at <= now();
  if (select count(*) from hopwhistle.browser_tokens where key_id = of_key) >= most then
    return false;
  end if;
  insert into hopwhistle.browser_tokens (token_hash, key_id, scopes, ends_at)
  values (new_hash, of_key, new_scopes, new_end);
  return true;
end
$$;
revoke all on function hopwhistle.make_browser_token(uuid, bytea, text[], timestamptz, integer) from public;
grant execute on function hopwhistle.make_browser_token(uuid, bytea, text[], timestamptz, integer) to hopwhistle_api;

-- By whose key a token with this SHA-256 hash was made, and for what; no row when it has ended.
create or replace function hopwhistle.find_browser_token(wanted bytea)
  returns table (key_hash bytea, scopes text[], ends_at timestamptz)
  language sql stable strict security definer rows 1
  set search_path = pg_catalog
as $$
  select k.key_hash, t.scopes, t.ends_at
  from hopwhistle.browser_tokens t
  join hopwhistle.api_keys k on k.id = t.key_id
  where t.token_hash = wanted and t.ends_at > now()
$$;
revoke all on function hopwhistle.find_browser_token(bytea) from public;
grant execute on function hopwhistle.find_browser_token(bytea) to hopwhistle_api;
