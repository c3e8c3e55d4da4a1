-- The console's readiness probe compares the schema's version with its own.
grant select on public.schema_version to skybeat_writer, skybeat_app;
