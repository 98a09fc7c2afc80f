-- Calls that never ended count as stale after a time; what became of a tenant's settings; and indexes for the list of calls by
-- its end and by its talk time.

-- step
set local role hopwhistle_owner;
alter table hopwhistle.tenants add column if not exists stale_after_hours integer
  constraint tenants_stale_after_hours check (stale_after_hours between 1 and 2160);
comment on column hopwhistle.tenants.stale_after_hours is
  'a call that began so long ago and has not ended counts as stale; null: 24, STALE_AFTER_HOURS of the contract';

-- step
set local role hopwhistle_owner;

-- Calls that began before and have not ended are stale. A full hour, so that the calls and the rollups of an hour say the same.
create or replace function hopwhistle.stale_before(of_tenant uuid) returns timestamptz
  language sql stable
  set search_path = pg_catalog
as $$
  select date_trunc('hour', now() - coalesce(t.stale_after_hours, 24) * interval '1 hour', 'UTC')
  from hopwhistle.tenants t where t.id = of_tenant
$$;
revoke all on function hopwhistle.stale_before(uuid) from public;
grant execute on function hopwhistle.stale_before(uuid) to hopwhistle_api;

-- What became of tenants' settings and by whom, kept also when a tenant is deleted.
create table if not exists hopwhistle.tenant_audit (
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  tenant_id uuid not null,
  setting text not null,
  was text,
  became text,
  -- Who said it was: set by `npm run tenants`.
  by_whom text,
  -- As what that was connected to the database.
  by_role text not null default session_user
);
comment on table hopwhistle.tenant_audit is 'what became of tenants'' settings, when and by whom';
create index if not exists tenant_audit_tenant on hopwhistle.tenant_audit (tenant_id, id);
alter table hopwhistle.tenant_audit enable row level security, force row level security;
drop policy if exists owner_sees_all on hopwhistle.tenant_audit;
create policy owner_sees_all on hopwhistle.tenant_audit to hopwhistle_owner using (true) with check (true);

-- Written by the table itself, a row for every column that changed, so that nobody forgets it.
create or replace function hopwhistle.audit_tenant() returns trigger
  language plpgsql security definer
  set search_path = pg_catalog
as $$
begin
  insert into hopwhistle.tenant_audit (tenant_id, setting, was, became, by_whom)
  select new.id, n.key, o.value, n.value, nullif(current_setting('hopwhistle.by_whom', true), '')
  from jsonb_each_text(to_jsonb(new)) n join jsonb_each_text(to_jsonb(old)) o using (key)
  where n.value is distinct from o.value;
  return null;
end
$$;

-- step
set local role hopwhistle_owner;
create or replace trigger audit_tenant
  after update on hopwhistle.tenants
  for each row when (new is distinct from old) execute function hopwhistle.audit_tenant();

-- step outside of a transaction
-- Talk times of calls that ended before they were stored, some pages of the table at a time. Locked in the order in which
-- writers lock them.
do $$
declare
  pages constant integer := 32;
  blocks bigint := pg_relation_size('hopwhistle.calls') / current_setting('block_size')::integer;
begin
  for page in 0..blocks by pages loop
    with old as materialized (
      select c.tenant_id, c.call_id
      from hopwhistle.calls c
      where c.ctid >= format('(%s,0)', page)::tid and c.ctid < format('(%s,0)', page + pages)::tid
        and c.talk_ms is null and c.answered_at is not null and c.ended_at is not null
      order by c.tenant_id, c.call_id
      for update
    )
    update hopwhistle.calls c
    set talk_ms = hopwhistle.elapsed_ms(c.answered_at, c.ended_at)
    from old o
    where c.tenant_id = o.tenant_id and c.call_id = o.call_id;
    commit;
  end loop;
end
$$;

-- step outside of a transaction
-- Both only of calls that have ended: what their columns are before, a call on its way is updated in place.
create index concurrently if not exists calls_ended on hopwhistle.calls (tenant_id, ended_at desc) where ended_at is not null;

-- step outside of a transaction
-- With the id: very many calls may have lasted equally long.
create index concurrently if not exists calls_talk on hopwhistle.calls (tenant_id, talk_ms desc, call_id desc) where talk_ms is not null;
