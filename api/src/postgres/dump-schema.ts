import type { Client } from 'pg'

/**
 * The schema as SQL text, read from the catalog: for people to read and for a check that it is the one committed, not
 * for restoring. It says the same on every version of Postgres from 15 to 18.
 */
export async function dumpSchema(client: Client): Promise<string> {
  await client.query('begin read only')
  try {
    // Names are printed in full only when nothing is on the path.
    await client.query(`set local search_path = ''`)
    const parts: string[] = [
      '-- Written by npm run db:dump:schema. Migrations make it; this shows what they have made.\n',
    ]
    for (const [title, sql] of SECTIONS) {
      const { rows } = await client.query<{ text: string }>(sql)
      if (rows.length > 0) parts.push(`-- ${title}\n\n${rows.map((row) => row.text.trimEnd()).join('\n\n')}\n`)
    }
    return parts.join('\n')
  } finally {
    await client.query('rollback')
  }
}

const OURS = `n.nspname = 'hopwhistle'`
/** A partition says nothing that its parent does not, but for its bounds. */
const NOT_A_PARTITION = 'not c.relispartition'

/** Not null is part of the column; since 18 it is also a constraint with a name. */
const COLUMNS = `
  select string_agg(format('  %I %s%s%s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
    case when a.attcollation <> t.typcollation then format(' collate %I', co.collname) else '' end,
    case
      when a.attgenerated = 's' then ' generated always as (' || pg_get_expr(d.adbin, d.adrelid) || ') stored'
      when a.attidentity = 'a' then ' generated always as identity'
      when d.adbin is not null then ' default ' || pg_get_expr(d.adbin, d.adrelid)
      else '' end,
    case when a.attnotnull then ' not null' else '' end,
    case when a.attstorage <> t.typstorage then ' storage ' || case a.attstorage when 'e' then 'external' when 'm' then 'main' when 'x' then 'extended' else 'plain' end else '' end), E',\n' order by a.attnum)
  from pg_catalog.pg_attribute a
  join pg_catalog.pg_type t on t.oid = a.atttypid
  left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  left join pg_catalog.pg_collation co on co.oid = a.attcollation
  where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped`

const CONSTRAINTS = `
  select string_agg(format(E',\n  constraint %I %s', k.conname, pg_get_constraintdef(k.oid)), '' order by k.contype desc, k.conname)
  from pg_catalog.pg_constraint k where k.conrelid = c.oid and k.contype in ('p', 'u', 'c', 'f')`

const SECTIONS: readonly (readonly [title: string, sql: string])[] = [
  [
    'Roles and their memberships',
    `select format('create role %I;', r.rolname) || coalesce(E'\n' || string_agg('grant ' || quote_ident(g.rolname) || ' to ' || quote_ident(r.rolname) || ';', E'\n' order by g.rolname) filter (where g.rolname is not null), '') as text
     from pg_catalog.pg_roles r
     left join pg_catalog.pg_auth_members m on m.member = r.oid
     left join pg_catalog.pg_roles g on g.oid = m.roleid
     where r.rolname like 'hopwhistle\\_%' group by r.rolname order by r.rolname`,
  ],
  [
    'Tables',
    `select format(E'create %stable hopwhistle.%I (\n%s%s\n)%s%s;', case c.relpersistence when 'u' then 'unlogged ' else '' end, c.relname, (${COLUMNS}), (${CONSTRAINTS}),
       case when c.relkind = 'p' then ' partition by ' || lower(left(pg_get_partkeydef(c.oid), 4)) || substr(pg_get_partkeydef(c.oid), 5) else '' end,
       coalesce(' with (' || array_to_string(c.reloptions, ', ') || ')', '')) as text
     from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where ${OURS} and c.relkind in ('r', 'p') and ${NOT_A_PARTITION} order by c.relname`,
  ],
  [
    'Partitions',
    `select format('create table hopwhistle.%I partition of hopwhistle.%I %s%s;', c.relname, p.relname, pg_get_expr(c.relpartbound, c.oid),
       coalesce(' with (' || array_to_string(c.reloptions, ', ') || ')', '')) as text
     from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     join pg_catalog.pg_inherits i on i.inhrelid = c.oid join pg_catalog.pg_class p on p.oid = i.inhparent
     where ${OURS} and c.relkind = 'r' and c.relispartition order by c.relname`,
  ],
  [
    'Indexes that are not constraints',
    `select pg_get_indexdef(c.oid) || ';' as text
     from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where ${OURS} and c.relkind in ('i', 'I') and ${NOT_A_PARTITION}
       and not exists (select from pg_catalog.pg_constraint k where k.conindid = c.oid) order by c.relname`,
  ],
  [
    'Row-level security',
    `select format('alter table hopwhistle.%I%s%s;', c.relname,
         case when c.relrowsecurity then ' enable row level security' else '' end,
         case when c.relforcerowsecurity then ', force row level security' else '' end)
       || coalesce((select string_agg(format(E'\ncreate policy %I on hopwhistle.%I for %s to %s%s%s;', p.policyname, p.tablename,
            lower(p.cmd), array_to_string(p.roles, ', '), E'\n  using (' || p.qual || ')', E'\n  with check (' || p.with_check || ')'),
            '' order by p.policyname)
          from pg_catalog.pg_policies p where p.schemaname = n.nspname and p.tablename = c.relname), '') as text
     from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where ${OURS} and c.relkind in ('r', 'p') and c.relrowsecurity order by c.relname`,
  ],
  [
    'Functions and procedures',
    `select pg_get_functiondef(p.oid) || ';' as text
     from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
     where ${OURS} order by p.proname, p.oid`,
  ],
  [
    'Owners and privileges',
    `select format('-- %s %s: owner %s%s', kind, name, owner, coalesce('; ' || (
         select string_agg(format('%s to %s', privileges, grantee), ', ' order by grantee)
         from (
           select case when g.grantee = 0 then 'public' else pg_get_userbyid(g.grantee)::text end as grantee,
             string_agg(lower(g.privilege_type), '+' order by g.privilege_type) as privileges
           from aclexplode(acl) g where g.grantee <> owner_id group by 1
         ) grants), '')) as text
     from (
       select 'schema' as kind, n.nspname::text as name, n.nspowner as owner_id, pg_get_userbyid(n.nspowner) as owner,
         coalesce(n.nspacl, acldefault('n', n.nspowner)) as acl
       from pg_catalog.pg_namespace n where ${OURS}
       union all
       select 'table', c.relname, c.relowner, pg_get_userbyid(c.relowner), coalesce(c.relacl, acldefault('r', c.relowner))
       from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
       where ${OURS} and c.relkind in ('r', 'p') and ${NOT_A_PARTITION}
       union all
       select case p.prokind when 'p' then 'procedure' else 'function' end, p.proname, p.proowner, pg_get_userbyid(p.proowner),
         coalesce(p.proacl, acldefault('f', p.proowner))
       from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
       where ${OURS}
     ) things
     order by kind, name`,
  ],
]
