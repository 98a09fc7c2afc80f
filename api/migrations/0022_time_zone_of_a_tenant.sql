-- The time zone in which a tenant reads its metrics when a request names none.

-- step
set local role hopwhistle_owner;
alter table hopwhistle.tenants add column if not exists time_zone text
  constraint tenants_time_zone_is_short check (char_length(time_zone) between 1 and 64);
comment on column hopwhistle.tenants.time_zone is 'an IANA name; null: reports are in UTC unless a request says otherwise';

-- step
set local role hopwhistle_owner;
-- An older version of the API asks it for the first five columns by name, and goes on to find them.
drop function if exists hopwhistle.authenticate(bytea);

-- As in 0015, with the time zone.
create function hopwhistle.authenticate(wanted bytea)
  returns table (key_id uuid, tenant_id uuid, scopes text[], tenant_rate integer, key_rate integer, time_zone text)
  language sql stable strict security definer rows 1
  set search_path = pg_catalog
as $$
  select k.id, k.tenant_id, k.scopes, t.events_per_second, k.events_per_second, t.time_zone
  from hopwhistle.api_keys k
  join hopwhistle.tenants t on t.id = k.tenant_id
  where k.key_hash = wanted and (k.revoked_at is null or k.revoked_at > now())
$$;

revoke all on function hopwhistle.authenticate(bytea) from public;
grant execute on function hopwhistle.authenticate(bytea) to hopwhistle_api;
