-- step
set local role hopwhistle_owner;

-- As in 0020. A tenant changes its labels itself, as often as it likes, so of each setting the last thousand changes are kept.
-- Those of other settings stay, whatever a tenant does to one.
create or replace function hopwhistle.audit_tenant() returns trigger
  language plpgsql security definer
  set search_path = pg_catalog
as $$
begin
  insert into hopwhistle.tenant_audit (tenant_id, setting, was, became, by_whom)
  select new.id, n.key, o.value, n.value, nullif(current_setting('hopwhistle.by_whom', true), '')
  from jsonb_each_text(to_jsonb(new)) n join jsonb_each_text(to_jsonb(old)) o using (key)
  where n.value is distinct from o.value;
  delete from hopwhistle.tenant_audit a
  using (
    select setting, id, row_number() over (partition by setting order by id desc) as place
    from hopwhistle.tenant_audit where tenant_id = new.id) as older
  where older.place > 1000 and a.id = older.id;
  return null;
end
$$;
