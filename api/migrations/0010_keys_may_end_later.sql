set local role hopwhistle_owner;

comment on column hopwhistle.api_keys.revoked_at is
  'from then on the key is refused; later than now while it is being replaced by another';

-- Finds who holds the key with this SHA-256 hash; no row when nobody does or the key is revoked by now.
create or replace function hopwhistle.authenticate(wanted bytea)
  returns table (key_id uuid, tenant_id uuid, scopes text[])
  language sql stable strict security definer rows 1
  set search_path = pg_catalog
as $$
  select id, tenant_id, scopes from hopwhistle.api_keys
  where key_hash = wanted and (revoked_at is null or revoked_at > now())
$$;
