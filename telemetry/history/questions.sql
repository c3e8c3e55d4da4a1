-- Questions to history; every one goes through a function that checks the transaction's scope.

-- name: tracks
-- Positions of units in a period, newest first within a device; unknown is the smallest value of the type.
select unit_id, device_id,
    (extract(epoch from observed_at) * 1000000)::bigint as observed_us,
    (extract(epoch from received_at) * 1000000)::bigint as received_us,
    coalesce(lat_e7, -2147483648), coalesce(lon_e7, -2147483648),
    coalesce(alt_msl_dm, -2147483648), coalesce(alt_hae_dm, -2147483648), coalesce(alt_home_dm, -2147483648),
    coalesce(speed_cmps, -32768), coalesce(climb_cmps, -32768), coalesce(heading_ddeg, -32768),
    coalesce(course_ddeg, -32768), coalesce(accuracy_dm, -32768),
    coalesce(battery_pct, -128), coalesce(satellites, -128), coalesce(fix, -128),
    quality, fix_hash
from store.unit_tracks(%(unit_ids)s::int[], %(from_at)s::timestamptz, %(to_at)s::timestamptz, %(row_limit)s::int);

-- name: newest
-- The newest position of each device that speaks for one of the units now.
select unit_id, device_id,
    (extract(epoch from observed_at) * 1000000)::bigint as observed_us,
    (extract(epoch from received_at) * 1000000)::bigint as received_us,
    coalesce(lat_e7, -2147483648), coalesce(lon_e7, -2147483648),
    coalesce(alt_msl_dm, -2147483648), coalesce(alt_hae_dm, -2147483648), coalesce(alt_home_dm, -2147483648),
    coalesce(speed_cmps, -32768), coalesce(climb_cmps, -32768), coalesce(heading_ddeg, -32768),
    coalesce(course_ddeg, -32768), coalesce(accuracy_dm, -32768),
    coalesce(battery_pct, -128), coalesce(satellites, -128), coalesce(fix, -128),
    quality, fix_hash
from store.newest_positions(%(unit_ids)s::int[], %(since_at)s::timestamptz);

-- name: newest_of_devices
-- The newest position of each device, for a bridge that starts (writer's role).
select device_id,
    (extract(epoch from observed_at) * 1000000)::bigint as observed_us,
    (extract(epoch from received_at) * 1000000)::bigint as received_us,
    coalesce(lat_e7, -2147483648), coalesce(lon_e7, -2147483648),
    coalesce(alt_msl_dm, -2147483648), coalesce(alt_hae_dm, -2147483648), coalesce(alt_home_dm, -2147483648),
    coalesce(speed_cmps, -32768), coalesce(climb_cmps, -32768), coalesce(heading_ddeg, -32768),
    coalesce(course_ddeg, -32768), coalesce(accuracy_dm, -32768),
    coalesce(battery_pct, -128), coalesce(satellites, -128), coalesce(fix, -128),
    quality, fix_hash
from store.newest_of_devices(%(device_ids)s::int[], %(since_at)s::timestamptz);

-- name: rollup
-- A unit's track in steps of step_s seconds: count, last position, mean and highest speed of each step, and its way.
select unit_id, device_id,
    (extract(epoch from bin_at) * 1000000)::bigint as bin_us, position_count,
    coalesce(last_lat_e7, -2147483648), coalesce(last_lon_e7, -2147483648),
    coalesce(mean_speed_cmps, -2147483648), coalesce(highest_speed_cmps, -32768),
    coalesce(path_m, 0),
    coalesce((extract(epoch from first_at) * 1000000)::bigint, -9223372036854775808) as first_us,
    coalesce(first_lat_e7, -2147483648), coalesce(first_lon_e7, -2147483648),
    coalesce((extract(epoch from last_at) * 1000000)::bigint, -9223372036854775808) as last_us
from store.unit_track_rollup(
    %(unit_id)s::int, %(from_at)s::timestamptz, %(to_at)s::timestamptz, %(step_s)s::int);

-- name: movements
-- A unit's trips and stops that touch a period, by device and time.
select unit_id, device_id, kind,
    (extract(epoch from started_at) * 1000000)::bigint as started_us,
    (extract(epoch from ended_at) * 1000000)::bigint as ended_us,
    distance_m, start_lat_e7, start_lon_e7, end_lat_e7, end_lon_e7
from store.unit_movements(%(unit_id)s::int, %(from_at)s::timestamptz, %(to_at)s::timestamptz);

-- name: events_since
-- Events that reached us since a time, of units within the scope, oldest first.
select device_id, (extract(epoch from observed_at) * 1000000)::bigint as observed_us,
    (extract(epoch from received_at) * 1000000)::bigint as received_us, kind, body
from store.events_since(%(since_at)s::timestamptz, %(row_limit)s::int);

-- name: recorded_events_since
-- The same of all units, for a bridge that starts (writer's role).
select device_id, (extract(epoch from observed_at) * 1000000)::bigint as observed_us,
    (extract(epoch from received_at) * 1000000)::bigint as received_us, kind, body
from store.recorded_events_since(%(since_at)s::timestamptz, %(row_limit)s::int);
