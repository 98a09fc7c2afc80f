-- An instance that was started with a new version waits until the schema has come to that version: it has to see how
-- far it is.
grant select (name) on hopwhistle.migrations to hopwhistle_api;
