set local role hopwhistle_owner;

-- What the API signs position tokens and cursors with. All instances share it, so that each takes what another has made.
--
-- To replace it: insert into hopwhistle.token_keys default values; restart the API; delete the older row when nobody needs
-- the tokens that it signed any more. The highest id signs, every row is accepted.
create table hopwhistle.token_keys (
  id smallint generated always as identity primary key,
  -- Of a uuid, 122 bits are random.
  secret bytea not null default sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())),
  made_at timestamptz not null default now(),
  constraint token_keys_id_is_a_byte check (id between 1 and 255),
  constraint token_keys_secret_is_long check (octet_length(secret) >= 32)
);
comment on table hopwhistle.token_keys is 'signs position tokens and cursors; the highest id signs, every row is accepted';

insert into hopwhistle.token_keys default values;

grant select (id, secret) on hopwhistle.token_keys to hopwhistle_api;
