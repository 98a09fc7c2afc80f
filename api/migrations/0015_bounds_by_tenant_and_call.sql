-- What a tenant, a key and a call may have at most.

-- step
set local role hopwhistle_owner;

alter table hopwhistle.tenants add column if not exists events_per_second integer
  constraint tenants_events_per_second_is_positive check (events_per_second > 0);
comment on column hopwhistle.tenants.events_per_second is
  'over all instances of the API; null: as many as TENANT_RATE_PER_SECOND says';

-- step
set local role hopwhistle_owner;
alter table hopwhistle.api_keys add column if not exists events_per_second integer
  constraint api_keys_events_per_second_is_positive check (events_per_second > 0);
comment on column hopwhistle.api_keys.events_per_second is 'over all instances of the API; null: as many as its tenant';

-- step
set local role hopwhistle_owner;
-- An older version of the API asks it for the first three columns by name, and goes on to find them.
drop function if exists hopwhistle.authenticate(bytea);

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

-- step
set local role hopwhistle_owner;

-- A call has at most 1,000 events: EVENT_BOUNDS.eventsPerCall of the API says the same. Only when a statement goes beyond that
-- it fails as a whole, which costs those that do not nothing; then the API asks events_past_full_calls for what to leave out.
create or replace function hopwhistle.refuse_full_call() returns trigger
  language plpgsql
as $$
begin
  raise exception using errcode = 'HW001', message = 'a call has too many events';
end
$$;

-- The places, in the arrays, of events that are not stored and for which their calls have no room.
create or replace function hopwhistle.events_past_full_calls(
  visible_tenants text, tenant_ids uuid[], event_ids text[], call_ids text[]
)
  returns integer[]
  language plpgsql
as $$
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
$$;
revoke all on function hopwhistle.events_past_full_calls(text, uuid[], text[], text[]) from public;
grant execute on function hopwhistle.events_past_full_calls(text, uuid[], text[], text[]) to hopwhistle_api;

-- step
set local role hopwhistle_owner;
create or replace trigger refuse_full_call
  after insert or update of sequence on hopwhistle.calls
  for each row when (new.sequence > 1000) execute function hopwhistle.refuse_full_call();
