-- What a commit of call events costs beside its rows, with the same result: see docs/decisions/0004-the-cost-of-an-event.md.
set local role hopwhistle_owner;

-- - `on conflict do nothing` names no columns: for those, each statement would look up the ancestors of the index of every partition
--   that it writes to. The primary key is the only unique constraint of call_events.
-- - `fresh` is read where it is needed, without a copy, and the progress before an event and its number come from one window.
-- - A function that is assigned is called as it is. `perform` and `select into` run a statement for that.
do $$
declare
  changes constant text[] := array[
    $x$on conflict (tenant_id, event_id) do nothing$x$, $x$on conflict do nothing$x$,

    $x$  moved as materialized (
    select f.*, progresses[place] as progress
    from fresh f
  ),
$x$, '',

    $x$ place, progress,
      max(progress) over (to_here rows between unbounded preceding and 1 preceding) as prior_progress,
      row_number() over to_here - count(*) over (partition by tenant_id, call_id) as before_last
    from moved
    window to_here as (partition by tenant_id, call_id order by place)
$x$, $x$ place, progresses[place] as progress,
      max(progresses[place]) over before_it as prior_progress,
      row_number() over before_it - count(*) over (partition by tenant_id, call_id) as before_last
    from fresh
    window before_it as (partition by tenant_id, call_id order by place rows between unbounded preceding and 1 preceding)
$x$,
    $x$max(progress) as progress,$x$, $x$max(progresses[place]) as progress,$x$,
    $x$    from moved
$x$, $x$    from fresh
$x$,

    $x$  perform set_config('hopwhistle.tenant_ids', $x$, $x$  visible := set_config('hopwhistle.tenant_ids', $x$,
    $x$  fresh_outcomes text;
$x$, $x$  visible text;
  written record;
  fresh_outcomes text;
$x$,
    $x$  new_call hopwhistle.calls;
$x$, $x$  visible text;
  new_call hopwhistle.calls;
$x$,
    $x$  select w.places, w.outcomes, w.call_states, w.sequences, w.batch_ids, w.batch_tenants
  into places, fresh_outcomes, fresh_states, fresh_sequences, batch_ids, batch_tenants
  from hopwhistle.write_call_events(
    tenant_ids, event_ids, call_ids, states, occurred_ms, received_us, directions, from_numbers, to_numbers, metadatas,
    corrections, progresses) w;
$x$, $x$  written := hopwhistle.write_call_events(
    tenant_ids, event_ids, call_ids, states, occurred_ms, received_us, directions, from_numbers, to_numbers, metadatas,
    corrections, progresses);
  places := written.places;
  fresh_outcomes := written.outcomes;
  fresh_states := written.call_states;
  fresh_sequences := written.sequences;
  batch_ids := written.batch_ids;
  batch_tenants := written.batch_tenants;
$x$];
  -- How many of them each function has.
  known constant jsonb := '{"write_call_events": 5, "commit_call_events": 3, "commit_call_event": 3}';
  writing record;
  text_now text;
  changed integer;
begin
  for writing in
    select p.oid, p.proname
    from pg_proc p
    where p.pronamespace = 'hopwhistle'::regnamespace and known ? p.proname
      and p.proargnames && array['progresses', 'new_progress']
  loop
    text_now := pg_get_functiondef(writing.oid);
    changed := 0;
    for i in 1..cardinality(changes) by 2 loop
      if position(changes[i] in text_now) > 0 then
        text_now := replace(text_now, changes[i], changes[i + 1]);
        changed := changed + 1;
      end if;
    end loop;
    if changed <> (known ->> writing.proname)::integer then
      raise exception '% is not as this migration knows it: % changes', writing.oid::regprocedure, changed;
    end if;
    execute text_now;
  end loop;
end
$$;
