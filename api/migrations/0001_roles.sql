-- The roles, which belong to the whole server: another database of it may have made them already, or be
-- making them right now, so each is made only if it is missing and a race that is lost counts as done.
--
--   hopwhistle_owner    owns everything, logs in never
--   hopwhistle_api      what an API instance logs in as: owns nothing, row-level security applies
--   hopwhistle_monitor  sees the server's statistics and none of the rows

do $$
declare
  wanted text;
  -- Since 16, whoever made a role is a member of it that may pass it on but not act as it.
  acting text := case when current_setting('server_version_num')::int >= 160000 then 'set' else 'member' end;
begin
  foreach wanted in array array['hopwhistle_owner', 'hopwhistle_api', 'hopwhistle_monitor'] loop
    if not exists (select from pg_catalog.pg_roles where rolname = wanted) then
      begin
        execute format('create role %I nologin', wanted);
      exception when duplicate_object or unique_violation then
        null;
      end;
    end if;
  end loop;
  -- The one who migrates makes things on the owner's behalf.
  if not pg_catalog.pg_has_role(current_user, 'hopwhistle_owner', acting) then
    execute format('grant hopwhistle_owner to %I', current_user);
  end if;
end
$$;

-- Statistics of the server are worth having and not worth failing for: a managed server may not allow them.
do $$
begin
  if not pg_catalog.pg_has_role('hopwhistle_monitor', 'pg_monitor', 'member') then
    grant pg_monitor to hopwhistle_monitor;
  end if;
exception
  when insufficient_privilege then
    raise notice 'hopwhistle_monitor may not see all statistics: % may not grant pg_monitor', current_user;
  when unique_violation then
    null;
end
$$;

do $$
begin
  create extension if not exists pg_stat_statements;
exception
  when insufficient_privilege or undefined_file or feature_not_supported then
    raise notice 'pg_stat_statements is not available: %', sqlerrm;
end
$$;

alter schema hopwhistle owner to hopwhistle_owner;
alter table hopwhistle.migrations owner to hopwhistle_owner;
revoke all on schema hopwhistle from public;
grant usage on schema hopwhistle to hopwhistle_api;
