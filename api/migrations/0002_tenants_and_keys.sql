set local role hopwhistle_owner;

create table hopwhistle.tenants (
  id uuid primary key,
  name text not null,
  created_at timestamptz not null default now()
);

create table hopwhistle.api_keys (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null references hopwhistle.tenants (id) on delete cascade,
  name text not null,
  key_hash bytea not null unique,
  scopes text[] not null,
  created_at timestamptz not null default now(),
  revoked_at timestamptz,
  constraint api_keys_key_hash_is_sha256 check (octet_length(key_hash) = 32)
);
comment on column hopwhistle.api_keys.key_hash is 'SHA-256 of the key: keys are long and random, so a slow hash would add nothing';
create index api_keys_tenant on hopwhistle.api_keys (tenant_id);

-- The tenants of the rows that the current transaction may see: hopwhistle.tenant_ids, an array literal.
-- Every policy asks it in a sub-select of its own, which Postgres runs once a statement and not once a row.

alter table hopwhistle.tenants enable row level security, force row level security;
create policy owner_sees_all on hopwhistle.tenants to hopwhistle_owner using (true) with check (true);
create policy api_sees_its_tenants on hopwhistle.tenants for select to hopwhistle_api
  using (id = any ((select nullif(current_setting('hopwhistle.tenant_ids', true), '')::uuid[])::uuid[]));

-- The API reads keys through authenticate() alone: it has no grant on the table.
alter table hopwhistle.api_keys enable row level security, force row level security;
create policy owner_sees_all on hopwhistle.api_keys to hopwhistle_owner using (true) with check (true);

grant select on hopwhistle.tenants to hopwhistle_api;

-- Finds who holds the key with this SHA-256 hash; no row when nobody does or the key is revoked.
create function hopwhistle.authenticate(wanted bytea)
  returns table (key_id uuid, tenant_id uuid, scopes text[])
  language sql stable strict security definer rows 1
  set search_path = pg_catalog
as $$
  select id, tenant_id, scopes from hopwhistle.api_keys where key_hash = wanted and revoked_at is null
$$;

revoke all on function hopwhistle.authenticate(bytea) from public;
grant execute on function hopwhistle.authenticate(bytea) to hopwhistle_api;
