set local role hopwhistle_owner;

-- How far the deletion of what is too old has come: one row. The instance that has locked it is the one at work.
create table hopwhistle.retention (
  only_row boolean primary key default true,
  at_tenant uuid,
  at_started timestamptz,
  at_call text collate "C",
  passed_at timestamptz,
  constraint retention_only_row check (only_row)
);
comment on column hopwhistle.retention.at_tenant is 'the pass goes on behind this call of this tenant; null between two passes';
comment on column hopwhistle.retention.passed_at is 'when the last pass came to its end';
insert into hopwhistle.retention default values;

-- Rows are now deleted as well, all the time: vacuum by count and not by share, which would grow with the table.
do $$
begin
  for remainder in 0..7 loop
    execute format(
      'alter table hopwhistle.call_events_%s set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 100000)',
      remainder);
  end loop;
end
$$;

-- Deletes calls whose last event was received longer than `keep` ago, with all their events: a portion of a pass over
-- all tenants, of at most `at_most` calls looked at. Rollups stay. See docs/decisions/0003-calls-are-forgotten-whole.md.
--
-- `finished` when there is nothing to do for now: the pass is at its end, another instance is at work, or the last
-- pass ended less than `again_after` ago.
--
-- It waits for nobody, and so takes part in no deadlock: a call that somebody is writing is left for the next pass.
--
-- Plans: calls_started read backwards from where the pass is; calls_pkey; call_events_call in each partition.
create function hopwhistle.forget_old_calls(
  keep interval, again_after interval, at_most integer,
  out calls integer, out events integer, out finished boolean, out passed_at timestamptz
)
  language plpgsql security definer
  set search_path = pg_catalog
  set plan_cache_mode = force_generic_plan
  set enable_seqscan = off
  set enable_hashjoin = off
  set enable_mergejoin = off
  set jit = off
as $$
declare
  here hopwhistle.retention;
  before timestamptz := now() - keep;
  looked_at integer;
  old_calls text[];
  last_started timestamptz;
  last_call text;
  gone_calls integer;
  gone_events integer;
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
  -- Nobody is told that it was done: after a crash it is done again.
  perform set_config('synchronous_commit', 'off', true);

  while here.at_tenant is not null and at_most > 0 loop
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
$$;

revoke all on function hopwhistle.forget_old_calls(interval, interval, integer) from public;
grant execute on function hopwhistle.forget_old_calls(interval, interval, integer) to hopwhistle_api;
