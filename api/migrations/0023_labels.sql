-- Labels: what events say of their calls under names that their tenant has declared.
--
-- A call has, under each name, the value of the event that occurred last; of those that occurred in the same millisecond, the
-- greater text. It is folded again from all events of the call, so their order does not matter.

-- step
set local role hopwhistle_owner;
alter table hopwhistle.tenants add column if not exists labels text[]
  constraint tenants_labels check (cardinality(labels) <= 8);
comment on column hopwhistle.tenants.labels is 'the names that it has declared; null: none';

-- step
set local role hopwhistle_owner;
alter table hopwhistle.calls add column if not exists labels jsonb;
comment on column hopwhistle.calls.labels is 'an object of texts, folded from those of its events; null: none';

-- step
set local role hopwhistle_owner;

comment on column hopwhistle.call_events.metadata is
  'an object; of an event with labels an array: its labels, and its metadata or null';

-- Calls whose labels are folded at the end of the transaction. A row is gone by then, so nobody ever sees one: it is what a
-- deferred trigger needs. That way the procedures that write events, which know nothing of labels, stay as they are.
create unlogged table if not exists hopwhistle.labels_to_fold (
  id bigint generated always as identity primary key,
  tenant_ids uuid[] not null,
  call_ids text[] not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_analyze_threshold = 100000);
alter table hopwhistle.labels_to_fold enable row level security, force row level security;
drop policy if exists owner_sees_all on hopwhistle.labels_to_fold;
create policy owner_sees_all on hopwhistle.labels_to_fold for all to hopwhistle_owner using (true) with check (true);

-- Plan: call_events_call in each of the eight partitions.
create or replace function hopwhistle.labels_of_call(of_tenant uuid, of_call text) returns jsonb
  language plpgsql stable
  set search_path = pg_catalog
  set plan_cache_mode = force_generic_plan
  set enable_seqscan = off
as $$
begin
  return (
    select jsonb_object_agg(latest.name, latest.value)
    from (
      select distinct on (given.name) given.name, given.value
      from hopwhistle.call_events e
      cross join lateral jsonb_each_text(e.metadata -> 0) as given (name, value)
      where e.tenant_id = of_tenant and e.call_id = of_call
      order by given.name, e.occurred_at desc, given.value collate "C" desc
    ) latest);
end
$$;

-- An event that was stored before, or that conflicts with one, changes nothing: then its call is not locked either.
create or replace function hopwhistle.fold_labels() returns trigger
  language plpgsql security definer
  set search_path = pg_catalog
  set plan_cache_mode = force_generic_plan
  set enable_seqscan = off
  set enable_hashjoin = off
  set enable_mergejoin = off
  set jit = off
as $$
begin
  update hopwhistle.calls c set labels = f.labels
  from (
    select l.tenant_id, l.call_id, hopwhistle.labels_of_call(l.tenant_id, l.call_id) as labels
    from unnest(new.tenant_ids, new.call_ids) as l (tenant_id, call_id)
    group by l.tenant_id, l.call_id
  ) f
  where c.tenant_id = f.tenant_id and c.call_id = f.call_id and c.labels is distinct from f.labels;
  delete from hopwhistle.labels_to_fold l where l.id = new.id;
  return null;
end
$$;

drop trigger if exists fold_labels on hopwhistle.labels_to_fold;
create constraint trigger fold_labels after insert on hopwhistle.labels_to_fold
  deferrable initially deferred for each row execute function hopwhistle.fold_labels();

create or replace function hopwhistle.fold_labels_at_commit(tenant_ids uuid[], call_ids text[]) returns void
  language plpgsql security definer
  set search_path = pg_catalog
as $$
begin
  insert into hopwhistle.labels_to_fold (tenant_ids, call_ids)
  values (fold_labels_at_commit.tenant_ids, fold_labels_at_commit.call_ids);
end
$$;

-- commit_call_events for a batch in which some events have labels: those of the calls that are given first.
create or replace procedure hopwhistle.commit_labelled_call_events(
  labelled_tenants uuid[], labelled_calls text[],
  visible_tenants text,
  tenant_ids uuid[], event_ids text[], call_ids text[], states smallint[], occurred_ms bigint[], received_us bigint[],
  directions smallint[], from_numbers text[], to_numbers text[], metadatas text[], corrections boolean[],
  progresses bigint[], published bigint[],
  inout outcomes text, inout call_states text, inout sequences integer[], inout batch_ids bigint[], inout batch_tenants uuid[], inout commit_position text
)
  language plpgsql
as $$
begin
  perform hopwhistle.fold_labels_at_commit(labelled_tenants, labelled_calls);
  call hopwhistle.commit_call_events(visible_tenants, tenant_ids, event_ids, call_ids, states, occurred_ms, received_us,
    directions, from_numbers, to_numbers, metadatas, corrections, progresses, published,
    outcomes, call_states, sequences, batch_ids, batch_tenants, commit_position);
end
$$;

-- commit_call_event for an event that has labels.
create or replace procedure hopwhistle.commit_labelled_call_event(
  of_tenant uuid, of_event text, of_call text, new_state smallint, occurred_ms bigint, received_us bigint,
  new_direction smallint, new_from text, new_to text, new_metadata text, new_corrects boolean,
  new_progress bigint, published bigint[],
  inout outcomes text, inout call_states text, inout sequences integer[], inout batch_ids bigint[], inout batch_tenants uuid[], inout commit_position text
)
  language plpgsql
as $$
begin
  perform hopwhistle.fold_labels_at_commit(array[of_tenant], array[of_call]);
  call hopwhistle.commit_call_event(of_tenant, of_event, of_call, new_state, occurred_ms, received_us, new_direction,
    new_from, new_to, new_metadata, new_corrects, new_progress, published,
    outcomes, call_states, sequences, batch_ids, batch_tenants, commit_position);
end
$$;

create or replace function hopwhistle.declared_labels(of_tenant uuid) returns text[]
  language sql stable security definer
  set search_path = pg_catalog
as $$
  select t.labels from hopwhistle.tenants t where t.id = of_tenant
$$;

create or replace procedure hopwhistle.commit_declared_labels(of_tenant uuid, names text[])
  language plpgsql
as $$
begin
  perform hopwhistle.declare_labels(of_tenant, names);
  commit;
end
$$;

create or replace function hopwhistle.declare_labels(of_tenant uuid, names text[]) returns void
  language sql volatile security definer
  set search_path = pg_catalog
as $$
  update hopwhistle.tenants t set labels = nullif(names, '{}') where t.id = of_tenant
$$;

-- What is left of an event's metadata, and labels, without those that have a text.
create or replace function hopwhistle.metadata_without(metadata jsonb, pattern text) returns jsonb
  language sql immutable
  set search_path = pg_catalog
as $$
  select case
    when metadata is null then null
    when jsonb_typeof(metadata) <> 'array' then case when metadata::text ~ pattern then null else metadata end
    else jsonb_build_array(
      (select coalesce(jsonb_object_agg(l.name, l.value), '{}')
       from jsonb_each_text(metadata -> 0) as l (name, value) where l.value !~ pattern),
      case when (metadata -> 1)::text ~ pattern then null else metadata -> 1 end)
  end
$$;

do $$
declare
  routine regprocedure;
begin
  for routine in
    select p.oid
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'hopwhistle'
      and p.proname in ('labels_of_call', 'fold_labels', 'fold_labels_at_commit', 'commit_labelled_call_events',
        'commit_labelled_call_event', 'declared_labels', 'commit_declared_labels', 'declare_labels', 'metadata_without')
  loop
    execute format('revoke all on routine %s from public', routine);
  end loop;
end
$$;
grant execute on function hopwhistle.fold_labels_at_commit(uuid[], text[]), hopwhistle.declared_labels(uuid),
  hopwhistle.declare_labels(uuid, text[]) to hopwhistle_api;
grant execute on procedure hopwhistle.commit_labelled_call_events, hopwhistle.commit_labelled_call_event,
  hopwhistle.commit_declared_labels to hopwhistle_api;
