-- History for years: roll-ups, trips and stops, late rows that mend them, how long each is kept, and how the disk fills.

-- TimescaleDB runs policies only as a role that may log in; this one has no password, so nobody else can.
do $$
begin
    if current_setting('skybeat.has_timescaledb') = 'on' then
        alter role skybeat_owner login;
    end if;
exception when insufficient_privilege then
    raise warning 'skybeat_owner may not log in, so TimescaleDB keeps no policies: let a superuser `alter role skybeat_owner login`, then start skybeat again';
end
$$;

set local role skybeat_owner;

-- How long each is kept and when a unit's day begins is the owner's word.
alter table store.retention
    add column minute_days int not null default 730 check (minute_days >= 1),
    add column quarter_hour_days int not null default 3650 check (quarter_hour_days >= 1),
    add column day_begins_after_utc interval not null default '-8 hours';

-- Bits of a row's quality (telemetry.model.batch.Quality) that make it no place: NO_FIX, JUMPED, NULL_ISLAND, ENCRYPTED.
create function store.is_place(quality int, lat_e7 int, lon_e7 int) returns boolean
language sql immutable parallel safe
return lat_e7 is not null and lon_e7 is not null and quality & 49312 = 0;

-- And those that make it no part of a path: SECONDARY, INACCURATE, PARKED too.
create function store.is_on_path(quality int, lat_e7 int, lon_e7 int) returns boolean
language sql immutable parallel safe
return lat_e7 is not null and lon_e7 is not null and quality & 117408 = 0;

-- The distance of two near places on a flat earth between them, as telemetry.flat_earth has it.
create function store.metres_between(lat_e7 float8, lon_e7 float8, other_lat_e7 float8, other_lon_e7 float8) returns float8
language sql immutable parallel safe
return 0.011131949 * sqrt(
    (lat_e7 - other_lat_e7) ^ 2
    + (cosd((lat_e7 + other_lat_e7) / 2e7)
       * (case when abs(lon_e7 - other_lon_e7) > 1.8e9 then 3.6e9 - abs(lon_e7 - other_lon_e7)
          else lon_e7 - other_lon_e7 end)) ^ 2);

-- The length of the path through places {epoch_s, fix_hash, lat_e7, lon_e7}, in whatever order they come; index order is cheap.
create function store.path_m(places float8[]) returns real
language plpgsql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
declare
    place_count int := coalesce(array_length(places, 1), 0);
    time_order float8 := case when place_count > 1 then sign(places[2][1] - places[1][1]) end;
    found_m float8 := 0;
begin
    for i in 2 .. place_count loop
        if time_order = 0 or sign(places[i][1] - places[i - 1][1]) <> time_order then
            places := array(
                select array[places[k][1], places[k][2], places[k][3], places[k][4]]
                from generate_series(1, place_count) k order by places[k][1], places[k][2]);
            exit;
        end if;
    end loop;
    for i in 2 .. place_count loop
        found_m := found_m + store.metres_between(places[i - 1][3], places[i - 1][4], places[i][3], places[i][4]);
    end loop;
    return found_m;
end
$$;

-- One bin of a device's history. `position_count` counts every row; places leave out what is none (store.is_place);
-- `path_m` is the way within the bin: the leg to the next bin's first place is not in it.
create type store.track_bin as (
    device_id int,
    bin_at timestamptz,
    position_count bigint,
    first_at timestamptz,
    first_lat_e7 int,
    first_lon_e7 int,
    last_at timestamptz,
    last_lat_e7 int,
    last_lon_e7 int,
    path_m real,
    speed_count bigint,
    speed_sum_cmps bigint,
    highest_speed_cmps smallint
);

-- The same columns are made of rows here and by TimescaleDB's continuous aggregates: written once, used by both.
create function store.bin_columns() returns text
language sql immutable set search_path = pg_catalog, pg_temp as $outer$
    with place (said) as (values (
        'array[date_part(''epoch'', p.observed_at), p.fix_hash, p.lat_e7, p.lon_e7]::float8[]'
    )), ends (first_place, last_place) as (
        select format('(min(%s) filter (where store.is_place(p.quality, p.lat_e7, p.lon_e7)))', said),
            format('(max(%s) filter (where store.is_place(p.quality, p.lat_e7, p.lon_e7)))', said) from place
    )
    select format(
        'count(*) as position_count, '
        'to_timestamp(%1$s[1]) as first_at, %1$s[3]::int as first_lat_e7, %1$s[4]::int as first_lon_e7, '
        'to_timestamp(%2$s[1]) as last_at, %2$s[3]::int as last_lat_e7, %2$s[4]::int as last_lon_e7, '
        'store.path_m(array_agg(%3$s) filter (where store.is_on_path(p.quality, p.lat_e7, p.lon_e7))) as path_m, '
        'count(p.speed_cmps) as speed_count, sum(p.speed_cmps)::bigint as speed_sum_cmps, '
        'max(p.speed_cmps) as highest_speed_cmps',
        first_place, last_place, said)
    from ends, place
$outer$;

-- The way between bins, each {first epoch_s, lat_e7, lon_e7, last epoch_s, lat_e7, lon_e7}: of a silence above ten minutes
-- nobody knows it.
create function store.legs_m(ends float8[]) returns real
language plpgsql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
declare
    bin_count int := coalesce(array_length(ends, 1), 0);
    found_m float8 := 0;
begin
    if bin_count > 1 and exists (
        select from generate_series(2, bin_count) k where ends[k][1] < ends[k - 1][1]
    ) then
        ends := array(
            select array[ends[k][1], ends[k][2], ends[k][3], ends[k][4], ends[k][5], ends[k][6]]
            from generate_series(1, bin_count) k order by ends[k][1]);
    end if;
    for i in 2 .. bin_count loop
        if ends[i][1] - ends[i - 1][4] <= 600 then
            found_m := found_m + store.metres_between(ends[i - 1][5], ends[i - 1][6], ends[i][2], ends[i][3]);
        end if;
    end loop;
    return found_m;
end
$$;

-- A longer bin of shorter ones, `b`.
create function store.joined_columns() returns text
language sql immutable set search_path = pg_catalog, pg_temp as $outer$
    with ends (first_place, last_place) as (values (
        '(min(array[date_part(''epoch'', b.first_at), b.first_lat_e7, b.first_lon_e7]::float8[]) filter (where b.first_at is not null))',
        '(max(array[date_part(''epoch'', b.last_at), b.last_lat_e7, b.last_lon_e7]::float8[]) filter (where b.last_at is not null))'
    ))
    select format(
        'sum(b.position_count)::bigint as position_count, '
        'to_timestamp(%1$s[1]) as first_at, %1$s[2]::int as first_lat_e7, %1$s[3]::int as first_lon_e7, '
        'to_timestamp(%2$s[1]) as last_at, %2$s[2]::int as last_lat_e7, %2$s[3]::int as last_lon_e7, '
        '(sum(b.path_m) + store.legs_m(array_agg(array[date_part(''epoch'', b.first_at), b.first_lat_e7, b.first_lon_e7, '
        'date_part(''epoch'', b.last_at), b.last_lat_e7, b.last_lon_e7]::float8[]) filter (where b.first_at is not null)))::real '
        'as path_m, '
        'sum(b.speed_count)::bigint as speed_count, sum(b.speed_sum_cmps)::bigint as speed_sum_cmps, '
        'max(b.highest_speed_cmps) as highest_speed_cmps',
        first_place, last_place)
    from ends
$outer$;

-- Bins of `step`, counted from origin_at, made of the rows themselves in [from_at, to_at): one short look into the index a bin.
do $$
begin
    execute format($query$
create function store.bins_of_rows(
    device_ids int[], origin_at timestamptz, from_at timestamptz, to_at timestamptz, step interval
) returns setof store.track_bin
language sql stable security definer set search_path = pg_catalog, pg_temp as $body$
    select d.device_id, bin.bin_at, all_in_bin.*
    from unnest(device_ids) d (device_id)
    cross join generate_series(date_bin(step, from_at, origin_at), to_at - interval '1 microsecond', step) bin (bin_at)
    cross join lateral (
        select %s from store.position p
        where p.device_id = d.device_id
          and p.observed_at >= greatest(bin.bin_at, from_at) and p.observed_at < least(bin.bin_at + step, to_at)
    ) all_in_bin
    where all_in_bin.position_count > 0
$body$
$query$, store.bin_columns());
end
$$;

-- Roll-ups of 1 and 15 minutes: month partitions kept by our own task, or continuous aggregates kept by TimescaleDB.
do $$
declare
    timescale_schema text := (
        select n.nspname from pg_catalog.pg_extension e join pg_catalog.pg_namespace n on n.oid = e.extnamespace
        where e.extname = 'timescaledb'
    );
    step record;
begin
    if current_setting('skybeat.has_timescaledb') <> 'on' then
        for step in select unnest(array['minute', 'quarter_hour']) as name loop
            execute format(
                'create table store.position_%s (
                    device_id int not null, bin_at timestamptz not null, position_count bigint not null,
                    first_at timestamptz, first_lat_e7 int, first_lon_e7 int,
                    last_at timestamptz, last_lat_e7 int, last_lon_e7 int,
                    path_m real, speed_count bigint not null, speed_sum_cmps bigint, highest_speed_cmps smallint,
                    primary key (device_id, bin_at)
                ) partition by range (bin_at)', step.name);
        end loop;
        return;
    end if;
    execute format('create materialized view store.position_minute with (timescaledb.continuous, '
        'timescaledb.materialized_only = false) as select p.device_id, %I.time_bucket(interval ''1 minute'', p.observed_at) '
        'as bin_at, %s from store.position p group by 1, 2 with no data', timescale_schema, store.bin_columns());
    execute format('create materialized view store.position_quarter_hour with (timescaledb.continuous, '
        'timescaledb.materialized_only = false) as select b.device_id, %I.time_bucket(interval ''15 minutes'', b.bin_at) '
        'as bin_at, %s from store.position_minute b group by 1, 2 with no data', timescale_schema, store.joined_columns());
    execute 'alter table store.position set (timescaledb.enable_columnstore = true, '
        'timescaledb.segmentby = ''device_id'', timescaledb.orderby = ''observed_at desc'')';
end
$$;

create function store.has_timescaledb() returns boolean
language sql stable set search_path = pg_catalog, pg_temp as $$
    select (select relkind from pg_class where oid = 'store.position'::regclass) <> 'p'
$$;

-- How far history is derived. Rows before claimed_through are late: who writes them notes it. All before derived_through is
-- rolled up, all before moved_through has its trips and stops.
create table store.derived_progress (
    only_row boolean primary key default true check (only_row),
    claimed_through timestamptz not null default '-infinity',
    derived_through timestamptz not null default '-infinity',
    moved_through timestamptz not null default '-infinity'
);
insert into store.derived_progress default values;

-- Where history changed behind that line; written with the rows themselves, gone when all that hangs on it is mended.
create table store.late_interval (
    late_id bigint generated always as identity primary key,
    device_id int not null,
    first_at timestamptz not null,
    last_at timestamptz not null check (last_at >= first_at)
);
grant insert on store.late_interval to skybeat_writer;

-- For a writer's transaction, before it writes: the line in microseconds since 1970, which stays where it is until that
-- transaction ends; the smallest bigint when nothing is derived yet.
create function store.hold_claimed_through() returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform pg_advisory_xact_lock_shared(hashtext('skybeat derived history'));
    return (
        select case when isfinite(claimed_through) then (extract(epoch from claimed_through) * 1000000)::bigint
            else -9223372036854775808 end
        from store.derived_progress
    );
end
$$;

-- Move the line once every writer that saw the old one is done; give where it is. It goes back only when a clock had been
-- wrong by more than ten minutes: what lies after it is then derived again.
create function store.claim_through(asked_at timestamptz) returns timestamptz
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    line_at timestamptz := date_bin('1 minute', least(asked_at, clock_timestamp()), 'epoch');
begin
    perform pg_advisory_xact_lock(hashtext('skybeat derived history'));
    select case when line_at < claimed_through - interval '10 minutes' then line_at else greatest(line_at, claimed_through) end
    into line_at from store.derived_progress;
    update store.derived_progress set claimed_through = line_at,
        derived_through = least(derived_through, line_at), moved_through = least(moved_through, line_at);
    return line_at;
end
$$;

create function store.ensure_rollup_partitions(from_at timestamptz, to_at timestamptz) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
    month_at timestamptz;
    table_name text;
    partition_name text;
begin
    for month_at in select generate_series(date_trunc('month', from_at), to_at, interval '1 month') loop
        foreach table_name in array array['position_minute', 'position_quarter_hour'] loop
            partition_name := table_name || '_' || to_char(month_at, 'YYYYMM');
            continue when to_regclass(format('store.%I', partition_name)) is not null;
            execute format('create table store.%I (like store.%I including all)', partition_name, table_name);
            execute format('alter table store.%I attach partition store.%I for values from (%L) to (%L)',
                table_name, partition_name, month_at, month_at + interval '1 month');
        end loop;
    end loop;
end
$$;

-- Make the roll-ups of a period anew, whole quarters of an hour; a hypertable's are TimescaleDB's own business.
do $$
begin
    if current_setting('skybeat.has_timescaledb') = 'on' then
        execute $query$
create function store.refresh_rollups(device_ids int[], from_at timestamptz, to_at timestamptz) returns void
language sql security definer set search_path = pg_catalog, pg_temp as 'select'
$query$;
        return;
    end if;
    execute format($query$
create function store.refresh_rollups(device_ids int[], from_at timestamptz, to_at timestamptz) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
declare
    first_minute_at timestamptz := date_bin('1 minute', from_at, 'epoch');
    first_quarter_at timestamptz := date_bin('15 minutes', from_at, 'epoch');
    end_minute_at timestamptz := date_bin('1 minute', to_at + interval '1 minute' - interval '1 microsecond', 'epoch');
    end_quarter_at timestamptz := date_bin('15 minutes', to_at + interval '15 minutes' - interval '1 microsecond', 'epoch');
begin
    perform store.ensure_rollup_partitions(first_quarter_at, end_quarter_at);
    delete from store.position_minute
    where device_id = any (device_ids) and bin_at >= first_minute_at and bin_at < end_minute_at;
    insert into store.position_minute
    select * from store.bins_of_rows(
        device_ids, first_minute_at, first_minute_at, end_minute_at, interval '1 minute');
    delete from store.position_quarter_hour
    where device_id = any (device_ids) and bin_at >= first_quarter_at and bin_at < end_quarter_at;
    insert into store.position_quarter_hour
    select b.device_id, date_bin('15 minutes', b.bin_at, 'epoch'), %s
    from store.position_minute b
    where b.device_id = any (device_ids) and b.bin_at >= first_quarter_at and b.bin_at < end_quarter_at
    group by 1, 2;
end
$body$
$query$, store.joined_columns());
end
$$;

-- Trips and stops, cut where a unit's day begins.
create table store.movement (
    device_id int not null,
    started_at timestamptz not null,
    ended_at timestamptz not null check (ended_at >= started_at),
    kind text not null check (kind in ('trip', 'stop')),
    distance_m real not null,
    start_lat_e7 int not null,
    start_lon_e7 int not null,
    end_lat_e7 int not null,
    end_lon_e7 int not null,
    primary key (device_id, started_at, kind)
);

create function store.day_begins_at(at timestamptz) returns timestamptz
language sql stable set search_path = pg_catalog, pg_temp as $$
    select date_bin('1 day', at, timestamptz '2000-01-01 00:00:00+00' + (select day_begins_after_utc from store.retention))
$$;

-- The trips and stops of a device in a period, from its minutes. A stop: 180 s or more within 200 m of its first place, also
-- over a silence. A trip: what lies between stops, of 200 m or more, cut by a silence of more than an hour.
create function store.movements_between(asked_device_id int, from_at timestamptz, to_at timestamptz)
returns setof store.movement
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    at_s float8[];
    lat_e7 float8[];
    lon_e7 float8[];
    leg_m float8[];
    place_count int;
    first_order int := 1;
    last_order int;
    trip_from_order int := 1;
begin
    select array_agg(date_part('epoch', place.at)), array_agg(place.lat_e7::float8), array_agg(place.lon_e7::float8),
        array_agg(place.way_m)
    into at_s, lat_e7, lon_e7, leg_m
    from (
        select * from store.position_minute b
        where b.device_id = asked_device_id and b.bin_at >= from_at and b.bin_at < to_at and b.first_at is not null
        order by b.bin_at
    ) b
    cross join lateral (
        values (b.first_at, b.first_lat_e7, b.first_lon_e7, null::float8), (b.last_at, b.last_lat_e7, b.last_lon_e7, b.path_m)
    ) place (at, lat_e7, lon_e7, way_m);
    place_count := coalesce(array_length(at_s, 1), 0);
    while first_order <= place_count loop
        last_order := first_order;
        while last_order < place_count and store.metres_between(
            lat_e7[first_order], lon_e7[first_order], lat_e7[last_order + 1], lon_e7[last_order + 1]) <= 200 loop
            last_order := last_order + 1;
        end loop;
        if at_s[last_order] - at_s[first_order] < 180 then
            first_order := first_order + 1;
            continue;
        end if;
        return query select * from store.trips_between(asked_device_id, at_s, lat_e7, lon_e7, leg_m, trip_from_order, first_order);
        return next (asked_device_id, to_timestamp(at_s[first_order]), to_timestamp(at_s[last_order]), 'stop', 0,
            lat_e7[first_order], lon_e7[first_order], lat_e7[last_order], lon_e7[last_order])::store.movement;
        trip_from_order := last_order;
        first_order := last_order + 1;
    end loop;
    return query select * from store.trips_between(asked_device_id, at_s, lat_e7, lon_e7, leg_m, trip_from_order, place_count);
end
$$;

create function store.trips_between(
    asked_device_id int, at_s float8[], lat_e7 float8[], lon_e7 float8[], leg_m float8[], first_order int, last_order int
) returns setof store.movement
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
    start_order int := first_order;
    way_m float8 := 0;
begin
    for k in first_order + 1 .. last_order loop
        if at_s[k] - at_s[k - 1] <= 3600 then
            way_m := way_m
                + coalesce(leg_m[k], store.metres_between(lat_e7[k - 1], lon_e7[k - 1], lat_e7[k], lon_e7[k]));
            continue when k < last_order;
        end if;
        if way_m >= 200 then
            return next (asked_device_id, to_timestamp(at_s[start_order]),
                to_timestamp(at_s[case when at_s[k] - at_s[k - 1] <= 3600 then k else k - 1 end]), 'trip', way_m,
                lat_e7[start_order], lon_e7[start_order],
                lat_e7[case when at_s[k] - at_s[k - 1] <= 3600 then k else k - 1 end],
                lon_e7[case when at_s[k] - at_s[k - 1] <= 3600 then k else k - 1 end])::store.movement;
        end if;
        start_order := k;
        way_m := 0;
    end loop;
end
$$;

-- Make the trips and stops of the days that a period touches anew.
create function store.refresh_movements(asked_device_id int, from_at timestamptz, to_at timestamptz) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    day_at timestamptz := store.day_begins_at(from_at);
begin
    while day_at < to_at loop
        delete from store.movement
        where device_id = asked_device_id and started_at >= day_at and started_at < day_at + interval '1 day';
        insert into store.movement select * from store.movements_between(asked_device_id, day_at, day_at + interval '1 day');
        day_at := day_at + interval '1 day';
    end loop;
end
$$;

-- The first moment that has a place for rows; null in an empty database.
do $$
declare
    timescale_schema text := (
        select n.nspname from pg_catalog.pg_extension e join pg_catalog.pg_namespace n on n.oid = e.extnamespace
        where e.extname = 'timescaledb'
    );
    query text := 'select min(to_date(right(c.relname, 8), ''YYYYMMDD''))::timestamp at time zone ''UTC'' from pg_inherits i '
        'join pg_class c on c.oid = i.inhrelid where i.inhparent = ''store.position''::regclass';
begin
    if current_setting('skybeat.has_timescaledb') = 'on' then
        query := 'select min(c.range_start) from timescaledb_information.chunks c '
            'where c.hypertable_schema = ''store'' and c.hypertable_name = ''position''';
    end if;
    execute format('create function store.history_begins_at() returns timestamptz language sql stable security definer '
        'set search_path = pg_catalog, pg_temp as %L', query);
end
$$;

-- Roll up, in at most one step of six hours, what is claimed; tell whether more waits. A crash between leaves the line behind.
create function store.derive_next() returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    progress store.derived_progress;
    from_at timestamptz;
    to_at timestamptz;
begin
    select * into progress from store.derived_progress for update;
    if progress.derived_through >= progress.claimed_through then
        return false;
    end if;
    from_at := greatest(progress.derived_through, least(store.history_begins_at(), progress.claimed_through));
    to_at := least(from_at + interval '6 hours', progress.claimed_through);
    if isfinite(from_at) and from_at < to_at then
        perform store.refresh_rollups(array(select device_id from public.device), from_at, to_at);
    else
        to_at := progress.claimed_through;
    end if;
    update store.derived_progress set derived_through = to_at;
    return to_at < progress.claimed_through;
end
$$;

-- Trips and stops of every device that reported since the last time; at most one day a step; tell whether more waits.
create function store.move_next(least_step interval) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    progress store.derived_progress;
    from_at timestamptz;
    to_at timestamptz;
begin
    select * into progress from store.derived_progress for update;
    from_at := greatest(progress.moved_through, least(store.history_begins_at(), progress.derived_through));
    to_at := least(store.day_begins_at(from_at) + interval '1 day', progress.derived_through);
    if not isfinite(from_at) or not isfinite(to_at) then
        return false;
    end if;
    if to_at - from_at < least_step and to_at < store.day_begins_at(from_at) + interval '1 day' then
        return false;
    end if;
    perform store.refresh_movements(d.device_id, from_at, to_at) from public.device d
    where exists (
        select from store.position_minute b where b.device_id = d.device_id and b.bin_at >= from_at and b.bin_at < to_at);
    update store.derived_progress set moved_through = to_at;
    return to_at < progress.derived_through;
end
$$;

-- The late intervals of the devices that wait longest, joined by device and day; they are the caller's until its end.
create function store.take_late(device_limit int)
returns table (device_id int, first_at timestamptz, last_at timestamptz)
language sql security definer set search_path = pg_catalog, pg_temp as $$
    with taken as (
        delete from store.late_interval l
        where l.device_id in (
            select w.device_id from store.late_interval w group by w.device_id order by min(w.late_id) limit device_limit)
        returning l.*
    )
    select t.device_id, min(t.first_at), max(t.last_at)
    from taken t group by t.device_id, store.day_begins_at(t.first_at) order by 1, 2
$$;

-- Mend what hangs on rows of a device that came late: roll-ups where they are ours to keep, trips and stops.
create function store.mend_late(asked_device_id int, from_at timestamptz, to_at timestamptz) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform store.refresh_rollups(array[asked_device_id], from_at, to_at + interval '1 microsecond');
    perform store.refresh_movements(asked_device_id, from_at, to_at + interval '1 microsecond');
end
$$;

-- What hangs on a device's rows beyond this database's tables is recomputed from them (writer's role).
create function store.device_track(asked_device_id int, from_at timestamptz, to_at timestamptz)
returns setof store.position_odd_time
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select p.* from store.position p
    where p.device_id = asked_device_id and p.observed_at >= from_at and p.observed_at < to_at
    order by p.observed_at desc
$$;

-- What a unit's devices did over the periods of their assignments: trips and stops, oldest first within a device. One that
-- reaches beyond an assignment is cut, and tells neither its way nor the place that is not the unit's.
create type store.unit_movement as (
    unit_id int,
    device_id int,
    kind text,
    started_at timestamptz,
    ended_at timestamptz,
    distance_m real,
    start_lat_e7 int,
    start_lon_e7 int,
    end_lat_e7 int,
    end_lon_e7 int
);

create function store.unit_movements(asked_unit_id int, from_at timestamptz, to_at timestamptz)
returns setof store.unit_movement
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform store.require_units(array[asked_unit_id]);
    perform store.require_period(from_at, to_at);
    return query
    select a.unit_id, m.device_id, m.kind,
        greatest(m.started_at, a.started_at), least(m.ended_at, coalesce(a.ended_at, 'infinity')),
        case when m.started_at >= a.started_at and m.ended_at <= coalesce(a.ended_at, 'infinity') then m.distance_m end,
        case when m.started_at >= a.started_at then m.start_lat_e7 end,
        case when m.started_at >= a.started_at then m.start_lon_e7 end,
        case when m.ended_at <= coalesce(a.ended_at, 'infinity') then m.end_lat_e7 end,
        case when m.ended_at <= coalesce(a.ended_at, 'infinity') then m.end_lon_e7 end
    from public.assignment a
    cross join lateral (
        select * from store.movement m
        where m.device_id = a.device_id
          -- none is longer than a day, so that the index finds the first
          and m.started_at >= greatest(a.started_at, from_at) - interval '1 day'
          and m.started_at < least(coalesce(a.ended_at, 'infinity'), to_at)
          and m.ended_at >= greatest(a.started_at, from_at)
        order by m.started_at
    ) m
    where a.unit_id = asked_unit_id and a.started_at < to_at and coalesce(a.ended_at, 'infinity') > from_at;
end
$$;

-- The same question as before, with the way; made of quarter hours or minutes where step and start allow.
drop function store.unit_track_rollup(int, timestamptz, timestamptz, int);
drop type store.unit_rollup;
create type store.unit_rollup as (
    unit_id int,
    device_id int,
    bin_at timestamptz,
    position_count bigint,
    first_at timestamptz,
    first_lat_e7 int,
    first_lon_e7 int,
    last_at timestamptz,
    last_lat_e7 int,
    last_lon_e7 int,
    path_m real,
    mean_speed_cmps int,
    highest_speed_cmps smallint
);

do $$
begin
    execute format($query$
create function store.device_rollup(
    asked_device_id int, origin_at timestamptz, from_at timestamptz, to_at timestamptz, step interval, grain interval
) returns setof store.track_bin
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $body$
declare
    kept_from_at timestamptz := date_bin(grain, from_at + grain - interval '1 microsecond', 'epoch');
    kept_to_at timestamptz := date_bin(grain, least(to_at, (select derived_through from store.derived_progress)), 'epoch');
begin
    if grain is null or not isfinite(kept_to_at) or kept_from_at >= kept_to_at then
        return query select * from store.bins_of_rows(array[asked_device_id], origin_at, from_at, to_at, step);
        return;
    end if;
    return query
    select asked_device_id, date_bin(step, b.bin_at, origin_at), %1$s
    from (
        select * from store.bins_of_rows(array[asked_device_id], 'epoch', from_at, kept_from_at, grain)
        union all
        select * from store.position_quarter_hour q
        where q.device_id = asked_device_id and q.bin_at >= kept_from_at and q.bin_at < kept_to_at
          and grain = interval '15 minutes'
        union all
        select * from store.position_minute m
        where m.device_id = asked_device_id and m.bin_at >= kept_from_at and m.bin_at < kept_to_at
          and grain = interval '1 minute'
        union all
        select * from store.bins_of_rows(array[asked_device_id], 'epoch', kept_to_at, to_at, grain)
    ) b
    group by date_bin(step, b.bin_at, origin_at);
end
$body$
$query$, store.joined_columns());
end
$$;

create function store.unit_track_rollup(asked_unit_id int, from_at timestamptz, to_at timestamptz, step_s int)
returns setof store.unit_rollup
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    grain interval := case
        when step_s % 900 = 0 and date_bin('15 minutes', from_at, 'epoch') = from_at then interval '15 minutes'
        when step_s % 60 = 0 and date_bin('1 minute', from_at, 'epoch') = from_at then interval '1 minute'
    end;
begin
    perform store.require_units(array[asked_unit_id]);
    perform store.require_period(from_at, to_at);
    if step_s < 1 or extract(epoch from to_at - from_at) / step_s > 100000 then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('steps of %s s over that period: give 1 s or more and at most 100000 steps', step_s);
    end if;
    return query
    select a.unit_id, b.device_id, b.bin_at, b.position_count, b.first_at, b.first_lat_e7, b.first_lon_e7,
        b.last_at, b.last_lat_e7, b.last_lon_e7, b.path_m, (b.speed_sum_cmps / nullif(b.speed_count, 0))::int,
        b.highest_speed_cmps
    from public.assignment a
    cross join lateral store.device_rollup(
        a.device_id, from_at, greatest(a.started_at, from_at), least(coalesce(a.ended_at, 'infinity'), to_at),
        make_interval(secs => step_s), grain) b
    where a.unit_id = asked_unit_id and a.started_at < to_at and coalesce(a.ended_at, 'infinity') > from_at;
end
$$;

-- What a repaired decoder no longer says is moved here, never deleted.
create table store.position_superseded (
    like store.position_odd_time,
    superseded_at timestamptz not null default now(),
    reason text not null check (reason <> '')
);
create index position_superseded_device on store.position_superseded (device_id, observed_at);

-- How the disk fills, once an hour.
create table store.disk_sample (
    sampled_at timestamptz primary key default now(),
    database_bytes bigint not null,
    raw_bytes bigint not null,
    rollup_bytes bigint not null
);

create function store.table_bytes(asked_table regclass) returns bigint
language sql stable set search_path = pg_catalog, pg_temp as $$
    select coalesce(sum(pg_total_relation_size(relid)), 0)::bigint from pg_partition_tree(asked_table)
$$;

create function store.note_disk() returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    timescale_schema text := (
        select n.nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'timescaledb'
    );
    raw_total_bytes bigint;
    rollup_total_bytes bigint;
begin
    if store.has_timescaledb() then
        execute format('select %1$I.hypertable_size(''store.position''), %1$I.hypertable_size(''store.position_minute'') '
            '+ %1$I.hypertable_size(''store.position_quarter_hour'')', timescale_schema) into raw_total_bytes, rollup_total_bytes;
    else
        raw_total_bytes := store.table_bytes('store.position');
        rollup_total_bytes := store.table_bytes('store.position_minute') + store.table_bytes('store.position_quarter_hour');
    end if;
    insert into store.disk_sample (database_bytes, raw_bytes, rollup_bytes)
    values (pg_database_size(current_database()), coalesce(raw_total_bytes, 0), coalesce(rollup_total_bytes, 0))
    on conflict do nothing;
    delete from store.disk_sample where sampled_at < now() - interval '30 days';
end
$$;

create function store.disk_samples(since_at timestamptz) returns setof store.disk_sample
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select * from store.disk_sample where sampled_at >= since_at order by sampled_at
$$;

-- Whether TimescaleDB's policies keep history, rather than our own task.
create function store.has_policies() returns boolean
language sql stable set search_path = pg_catalog, pg_temp as $$
    select store.has_timescaledb() and (select rolcanlogin from pg_roles where rolname = 'skybeat_owner')
$$;

-- An end to what is past its retention: by TimescaleDB's policies where there are any, else here.
create or replace function store.drop_positions_past_retention() returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' set lock_timeout = '5s' as $$
declare
    kept store.retention := (select r from store.retention r);
    old_partition record;
    dropped int := 0;
begin
    delete from store.movement where started_at < now() - make_interval(days => kept.quarter_hour_days);
    delete from store.position_superseded where superseded_at < now() - make_interval(days => kept.raw_days);
    if store.has_policies() then
        return 0;
    end if;
    dropped := store.drop_old_partitions(kept.raw_days);
    for old_partition in
        select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'store.position_minute'::regclass and c.relkind = 'r'
          and right(c.relname, 6) < to_char(now() - make_interval(days => kept.minute_days), 'YYYYMM')
        union all
        select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'store.position_quarter_hour'::regclass
          and right(c.relname, 6) < to_char(now() - make_interval(days => kept.quarter_hour_days), 'YYYYMM')
    loop
        execute format('drop table store.%I', old_partition.relname);
        dropped := dropped + 1;
    end loop;
    return dropped;
end
$$;

-- TimescaleDB's policies as the retention now is; nothing without it. Refreshes reach back as far as rows are kept, so that
-- late rows mend their aggregates, and no farther, or dropped rows would empty theirs.
create function store.apply_history_policies() returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    kept store.retention := (select r from store.retention r);
    timescale_schema text := (
        select n.nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'timescaledb'
    );
    policy record;
begin
    if not store.has_policies() then
        return;
    end if;
    for policy in
        select * from (values
            ('store.position', kept.raw_days, null::text, null::text),
            ('store.position_minute', kept.minute_days, '2 minutes', '1 minute'),
            ('store.position_quarter_hour', kept.quarter_hour_days, '30 minutes', '15 minutes')
        ) listed (relation, days, end_offset, every)
    loop
        execute format('select %I.remove_retention_policy(%L, if_exists => true)', timescale_schema, policy.relation);
        execute format('select %I.add_retention_policy(%L, drop_after => %L::interval)',
            timescale_schema, policy.relation, make_interval(days => policy.days));
        continue when policy.end_offset is null;
        execute format('select %I.remove_continuous_aggregate_policy(%L, if_exists => true)', timescale_schema, policy.relation);
        execute format('select %I.add_continuous_aggregate_policy(%L, start_offset => %L::interval, '
            'end_offset => %L::interval, schedule_interval => %L::interval)', timescale_schema, policy.relation,
            make_interval(hours => kept.raw_days * 24 - 3), policy.end_offset, policy.every);
    end loop;
    execute format('call %I.add_columnstore_policy(%L, after => interval ''6 hours'', if_not_exists => true)',
        timescale_schema, 'store.position');
end
$$;
select store.apply_history_policies();

revoke all on all functions in schema store from public;
grant execute on function
    store.hold_claimed_through(),
    store.claim_through(timestamptz),
    store.derive_next(),
    store.move_next(interval),
    store.take_late(int),
    store.mend_late(int, timestamptz, timestamptz),
    store.device_track(int, timestamptz, timestamptz),
    store.note_disk()
    to skybeat_writer;
grant execute on function
    store.unit_track_rollup(int, timestamptz, timestamptz, int),
    store.unit_movements(int, timestamptz, timestamptz),
    store.disk_samples(timestamptz)
    to skybeat_app;
