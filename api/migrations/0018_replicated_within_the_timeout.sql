-- step
set local role hopwhistle_owner;

-- A commit that waits for synchronous replicas is under statement_timeout only where a procedure makes it. The commit at
-- the end of a statement waits as long as they are away, and keeps its connection.

create procedure hopwhistle.commit_events_aside(of_tenant uuid, bodies jsonb)
  language plpgsql
as $$
begin
  perform hopwhistle.keep_events_aside(of_tenant, bodies);
  -- What was kept before writes nothing, and may still lack on the replicas.
  perform hopwhistle.wait_for_replication();
  commit;
end
$$;

-- `made` is false when the key has as many tokens that work as it may.
create procedure hopwhistle.commit_browser_token(
  of_key uuid, new_hash bytea, new_scopes text[], new_end timestamptz, most integer, inout made boolean
)
  language plpgsql
as $$
begin
  made := hopwhistle.make_browser_token(of_key, new_hash, new_scopes, new_end, most);
  commit;
end
$$;

revoke all on procedure hopwhistle.commit_events_aside, hopwhistle.commit_browser_token from public;
grant execute on procedure hopwhistle.commit_events_aside, hopwhistle.commit_browser_token to hopwhistle_api;
