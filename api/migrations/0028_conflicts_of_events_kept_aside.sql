-- step
set local role hopwhistle_owner;

-- Where in `bodies` events stand whose id is kept with other content, from 1. The first that came stays, also within one batch.
create function hopwhistle.conflicts_aside(of_tenant uuid, bodies jsonb) returns bigint[]
  language sql stable security definer
  set search_path = pg_catalog
as $$
  select array_agg(given.place order by given.place)
  from jsonb_array_elements(bodies) with ordinality as given (body, place)
  join hopwhistle.events_aside kept on kept.tenant_id = of_tenant and kept.event_id = given.body ->> 'eventId'
  where kept.body <> given.body
$$;

-- As commit_events_aside(uuid, jsonb), which instances of the version before still call.
create procedure hopwhistle.commit_events_aside(of_tenant uuid, bodies jsonb, inout conflicts bigint[])
  language plpgsql
as $$
begin
  perform hopwhistle.keep_events_aside(of_tenant, bodies);
  conflicts := hopwhistle.conflicts_aside(of_tenant, bodies);
  perform hopwhistle.wait_for_replication();
  commit;
end
$$;

revoke all on function hopwhistle.conflicts_aside from public;
revoke all on procedure hopwhistle.commit_events_aside(uuid, jsonb, bigint[]) from public;
grant execute on function hopwhistle.conflicts_aside to hopwhistle_api;
grant execute on procedure hopwhistle.commit_events_aside(uuid, jsonb, bigint[]) to hopwhistle_api;
