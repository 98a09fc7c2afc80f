set local role hopwhistle_owner;

alter table hopwhistle.tenants add column events_per_second integer
  constraint tenants_events_per_second_is_positive check (events_per_second > 0);
comment on column hopwhistle.tenants.events_per_second is
  'over all instances of the API; null: as many as TENANT_RATE_PER_SECOND says';

alter table hopwhistle.api_keys add column events_per_second integer
  constraint api_keys_events_per_second_is_positive check (events_per_second > 0);
comment on column hopwhistle.api_keys.events_per_second is 'over all instances of the API; null: as many as its tenant';

-- An older version of the API asks it for the first three columns by name, and goes on to find them.
drop function hopwhistle.authenticate(bytea);

-- Finds who holds the key with this SHA-256 hash; no row when nobody does or the key is revoked by now.
create function hopwhistle.authenticate(wanted bytea)
  returns table (key_id uuid, tenant_id uuid, scopes text[], tenant_rate integer, key_rate integer)
  language sql stable strict security definer rows 1
  set search_path = pg_catalog
as $$
  select k.id, k.tenant_id, k.scopes, t.events_per_second, k.events_per_second
  from hopwhistle.api_keys k
  join hopwhistle.tenants t on t.id = k.tenant_id
  where k.key_hash = wanted and (k.revoked_at is null or k.revoked_at > now())
$$;

revoke all on function hopwhistle.authenticate(bytea) from public;
grant execute on function hopwhistle.authenticate(bytea) to hopwhistle_api;
