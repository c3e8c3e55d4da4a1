-- How long positions are kept is the owner's word: the writer may ask that the old go, not say which are old.
create table store.retention (
    only_row boolean primary key default true check (only_row),
    raw_days int not null default 90 check (raw_days >= 1)
);

insert into store.retention default values;

create function store.drop_positions_past_retention() returns int
language sql security definer set search_path = pg_catalog, pg_temp as $$
    select store.drop_old_partitions((select raw_days from store.retention))
$$;

revoke all on function store.drop_positions_past_retention() from public;

revoke execute on function store.drop_old_partitions(int) from skybeat_writer;

grant execute on function store.drop_positions_past_retention() to skybeat_writer;
