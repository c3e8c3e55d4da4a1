-- The doors to history: each checks the asked units and period against the transaction's scope, then reads by index.
set local role skybeat_owner;

create type store.unit_position as (
    unit_id int,
    device_id int,
    observed_at timestamptz,
    received_at timestamptz,
    lat_e7 int,
    lon_e7 int,
    alt_msl_dm int,
    alt_hae_dm int,
    alt_home_dm int,
    speed_cmps smallint,
    climb_cmps smallint,
    heading_ddeg smallint,
    course_ddeg smallint,
    accuracy_dm smallint,
    battery_pct smallint,
    satellites smallint,
    fix smallint,
    quality int,
    fix_hash int
);

create function store.require_units(unit_ids int[]) returns void
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    refused_unit_id int;
begin
    select asked.unit_id into refused_unit_id from unnest(unit_ids) asked (unit_id)
    where not public.scope_sees_unit(asked.unit_id) limit 1;
    if found then
        raise exception using
            errcode = 'insufficient_privilege',
            message = format('unit %s is outside the scope of role "%s"', refused_unit_id, public.scope_role()),
            hint = 'ask for units of your own stations, or for yourself';
    end if;
end
$$;

-- `skybeat.history_from`, where it is set, is how far back this transaction may look.
create function store.require_period(from_at timestamptz, to_at timestamptz) returns void
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    earliest_at timestamptz := nullif(current_setting('skybeat.history_from', true), '')::timestamptz;
begin
    if from_at is null or to_at is null or from_at >= to_at then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('the period %s to %s is empty', from_at, to_at),
            hint = 'give a start before its end';
    end if;
    if from_at < earliest_at then
        raise exception using
            errcode = 'insufficient_privilege',
            message = format('the period begins at %s, before %s, the earliest that this account may see', from_at, earliest_at),
            hint = 'ask for a later start';
    end if;
end
$$;

-- The tracks of units: those of their devices over the periods of their assignments, newest first within a device.
-- At most row_limit rows a device; the caller merges devices.
create function store.unit_tracks(unit_ids int[], from_at timestamptz, to_at timestamptz, row_limit int)
returns setof store.unit_position
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform store.require_units(unit_ids);
    perform store.require_period(from_at, to_at);
    return query
    select a.unit_id, p.device_id, p.observed_at, p.received_at, p.lat_e7, p.lon_e7, p.alt_msl_dm, p.alt_hae_dm,
        p.alt_home_dm, p.speed_cmps, p.climb_cmps, p.heading_ddeg, p.course_ddeg, p.accuracy_dm, p.battery_pct,
        p.satellites, p.fix, p.quality, p.fix_hash
    from public.assignment a
    cross join lateral (
        select * from store.position p
        where p.device_id = a.device_id
          and p.observed_at >= greatest(a.started_at, from_at)
          and p.observed_at < least(coalesce(a.ended_at, 'infinity'), to_at)
        order by p.observed_at desc
        limit row_limit
    ) p
    where a.unit_id = any (unit_ids) and a.started_at < to_at and coalesce(a.ended_at, 'infinity') > from_at;
end
$$;

create function store.unit_track(asked_unit_id int, from_at timestamptz, to_at timestamptz, row_limit int)
returns setof store.unit_position
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select * from store.unit_tracks(array[asked_unit_id], from_at, to_at, row_limit)
$$;

-- The newest position of each device that speaks for one of the units now, none older than since_at.
create function store.newest_positions(unit_ids int[], since_at timestamptz)
returns setof store.unit_position
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform store.require_units(unit_ids);
    return query
    select a.unit_id, p.device_id, p.observed_at, p.received_at, p.lat_e7, p.lon_e7, p.alt_msl_dm, p.alt_hae_dm,
        p.alt_home_dm, p.speed_cmps, p.climb_cmps, p.heading_ddeg, p.course_ddeg, p.accuracy_dm, p.battery_pct,
        p.satellites, p.fix, p.quality, p.fix_hash
    from public.assignment a
    cross join lateral (
        select * from store.position p
        where p.device_id = a.device_id and p.observed_at >= greatest(a.started_at, since_at)
        order by p.observed_at desc
        limit 1
    ) p
    where a.unit_id = any (unit_ids) and a.ended_at is null;
end
$$;

create type store.unit_rollup as (
    unit_id int,
    device_id int,
    bin_at timestamptz,
    position_count bigint,
    last_lat_e7 int,
    last_lon_e7 int,
    mean_speed_cmps int,
    highest_speed_cmps smallint
);

-- A unit's track in bins of step_s seconds that begin at from_at; bins without a position are left out.
create function store.unit_track_rollup(asked_unit_id int, from_at timestamptz, to_at timestamptz, step_s int)
returns setof store.unit_rollup
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform store.require_units(array[asked_unit_id]);
    perform store.require_period(from_at, to_at);
    if step_s < 1 or extract(epoch from to_at - from_at) / step_s > 100000 then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('steps of %s s over that period: give 1 s or more and at most 100000 steps', step_s);
    end if;
    return query
    select a.unit_id, a.device_id, bin.bin_at, all_in_bin.position_count, newest.lat_e7, newest.lon_e7,
        all_in_bin.mean_speed_cmps, all_in_bin.highest_speed_cmps
    from public.assignment a
    cross join lateral (
        select greatest(a.started_at, from_at) as first_at, least(coalesce(a.ended_at, 'infinity'), to_at) as end_at
    ) period
    cross join generate_series(from_at, to_at - interval '1 microsecond', make_interval(secs => step_s)) bin (bin_at)
    cross join lateral (
        select p.lat_e7, p.lon_e7 from store.position p
        where p.device_id = a.device_id
          and p.observed_at >= greatest(period.first_at, bin.bin_at)
          and p.observed_at < least(period.end_at, bin.bin_at + make_interval(secs => step_s))
        order by p.observed_at desc
        limit 1
    ) newest
    cross join lateral (
        select count(*) as position_count, avg(p.speed_cmps)::int as mean_speed_cmps,
            max(p.speed_cmps) as highest_speed_cmps
        from store.position p
        where p.device_id = a.device_id
          and p.observed_at >= greatest(period.first_at, bin.bin_at)
          and p.observed_at < least(period.end_at, bin.bin_at + make_interval(secs => step_s))
    ) all_in_bin
    where a.unit_id = asked_unit_id and a.started_at < to_at and coalesce(a.ended_at, 'infinity') > from_at;
end
$$;

-- Events that reached us since a time, oldest first, of units within the scope.
create function store.events_since(since_at timestamptz, row_limit int) returns setof store.event
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    return query
    select e.* from store.event e
    where e.received_at >= since_at
      and (public.scope_role() = 'service' or exists (
          select from public.assignment a
          where a.device_id = e.device_id and a.started_at <= e.observed_at
            and coalesce(a.ended_at, 'infinity') > e.observed_at and public.scope_sees_unit(a.unit_id)))
    order by e.received_at
    limit row_limit;
end
$$;

-- What a bridge that starts must know again; it has no account, so only the writer's role may ask.
create function store.recorded_events_since(since_at timestamptz, row_limit int) returns setof store.event
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select * from store.event where received_at >= since_at order by received_at limit row_limit
$$;

create function store.newest_of_devices(device_ids int[], since_at timestamptz)
returns setof store.position_odd_time
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select p.* from unnest(device_ids) asked (device_id)
    cross join lateral (
        select * from store.position p
        where p.device_id = asked.device_id and p.observed_at >= since_at
        order by p.observed_at desc
        limit 1
    ) p
$$;

revoke all on all functions in schema store from public;
grant execute on function
    store.unit_tracks(int[], timestamptz, timestamptz, int),
    store.unit_track(int, timestamptz, timestamptz, int),
    store.newest_positions(int[], timestamptz),
    store.unit_track_rollup(int, timestamptz, timestamptz, int),
    store.events_since(timestamptz, int)
    to skybeat_app;
grant execute on function
    store.recorded_events_since(timestamptz, int),
    store.newest_of_devices(int[], timestamptz)
    to skybeat_writer;
