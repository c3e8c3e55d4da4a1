-- Geofences in the database, for the bridge (writer) and the console (app, within its scope).

-- name: load_fences
-- All geofences in force.
select geofence_id, name_zh, name_en, geometry, radius_m, width_m,
    (extract(epoch from valid_from) * 1000000)::bigint as valid_from_us,
    (extract(epoch from valid_to) * 1000000)::bigint as valid_to_us,
    days, from_minute, to_minute, utc_offset_s, lowest_m, highest_m, height_above,
    kinds, services, station_ids, unit_ids, minimum_stay_s, dwell_s, limit_mps, raises_alarm, station_id
from public.geofence order by geofence_id;

-- name: load_versions
-- Who changed each geofence last.
select geofence_id, version, changed_by, (extract(epoch from changed_at) * 1000)::double precision as changed_ms
from public.geofence;

-- name: load_assignments
-- Who shall stay in which.
select assignment_id, geofence_id, unit_id, station_id,
    (extract(epoch from from_at) * 1000000)::bigint as from_us,
    (extract(epoch from to_at) * 1000000)::bigint as to_us
from public.area_assignment order by assignment_id;

-- name: load_alone_rules
-- When an officer counts as alone.
select limit_m, after_s, unit_id, station_id from public.alone_rule order by alone_rule_id;

-- name: add_fence
-- Draw a geofence; one with a reference that is there already is redrawn.
insert into public.geofence (
    name_zh, name_en, geometry, radius_m, width_m, valid_from, valid_to, days, from_minute, to_minute, utc_offset_s,
    lowest_m, highest_m, height_above, kinds, services, station_ids, unit_ids, minimum_stay_s, dwell_s, limit_mps,
    raises_alarm, station_id, source_ref, changed_at, changed_by
) values (
    %(name_zh)s::text, %(name_en)s::text, %(geometry)s::jsonb, %(radius_m)s::double precision,
    %(width_m)s::double precision, %(valid_from)s::timestamptz, %(valid_to)s::timestamptz, %(days)s::smallint,
    %(from_minute)s::smallint, %(to_minute)s::smallint, %(utc_offset_s)s::int, %(lowest_m)s::double precision,
    %(highest_m)s::double precision, %(height_above)s::text, %(kinds)s::text[], %(services)s::text[],
    %(station_ids)s::int[], %(unit_ids)s::int[], %(minimum_stay_s)s::double precision, %(dwell_s)s::double precision,
    %(limit_mps)s::double precision, %(raises_alarm)s::boolean, %(station_id)s::int, %(source_ref)s::text,
    %(changed_at)s::timestamptz, %(changed_by)s::text
) on conflict (source_ref) do update set
    version = geofence.version + 1, name_zh = excluded.name_zh, name_en = excluded.name_en,
    geometry = excluded.geometry, radius_m = excluded.radius_m, width_m = excluded.width_m,
    valid_from = excluded.valid_from, valid_to = excluded.valid_to, days = excluded.days,
    from_minute = excluded.from_minute, to_minute = excluded.to_minute, utc_offset_s = excluded.utc_offset_s,
    lowest_m = excluded.lowest_m, highest_m = excluded.highest_m, height_above = excluded.height_above,
    kinds = excluded.kinds, services = excluded.services, station_ids = excluded.station_ids,
    unit_ids = excluded.unit_ids, minimum_stay_s = excluded.minimum_stay_s, dwell_s = excluded.dwell_s,
    limit_mps = excluded.limit_mps, raises_alarm = excluded.raises_alarm, station_id = excluded.station_id,
    changed_at = excluded.changed_at, changed_by = excluded.changed_by
returning geofence_id;

-- name: change_fence
-- Redraw a geofence, if it still is of the version that was seen.
update public.geofence set
    version = version + 1, name_zh = %(name_zh)s::text, name_en = %(name_en)s::text, geometry = %(geometry)s::jsonb,
    radius_m = %(radius_m)s::double precision, width_m = %(width_m)s::double precision,
    valid_from = %(valid_from)s::timestamptz, valid_to = %(valid_to)s::timestamptz, days = %(days)s::smallint,
    from_minute = %(from_minute)s::smallint, to_minute = %(to_minute)s::smallint,
    utc_offset_s = %(utc_offset_s)s::int, lowest_m = %(lowest_m)s::double precision,
    highest_m = %(highest_m)s::double precision, height_above = %(height_above)s::text, kinds = %(kinds)s::text[],
    services = %(services)s::text[], station_ids = %(station_ids)s::int[], unit_ids = %(unit_ids)s::int[],
    minimum_stay_s = %(minimum_stay_s)s::double precision, dwell_s = %(dwell_s)s::double precision,
    limit_mps = %(limit_mps)s::double precision, raises_alarm = %(raises_alarm)s::boolean,
    station_id = %(station_id)s::int, changed_at = %(changed_at)s::timestamptz, changed_by = %(changed_by)s::text
where geofence_id = %(geofence_id)s::int and version = %(version)s::int
returning geofence_id;

-- name: remove_fence
-- Take a geofence away, with its assignments.
delete from public.geofence where geofence_id = %(geofence_id)s::int returning geofence_id;

-- name: add_assignment
-- Let a unit or a station stay in an area; one that is there already adds nothing.
insert into public.area_assignment (geofence_id, unit_id, station_id, from_at, to_at)
values (%(geofence_id)s::int, %(unit_id)s::int, %(station_id)s::int, %(from_at)s::timestamptz, %(to_at)s::timestamptz)
on conflict do nothing returning assignment_id;

-- name: remove_assignment
-- End an assignment at once.
delete from public.area_assignment where assignment_id = %(assignment_id)s::int returning assignment_id;

-- name: remove_alone_rule
-- Make room for another rule of the same unit, station or force.
delete from public.alone_rule
where coalesce(unit_id, 0) = coalesce(%(unit_id)s::int, 0) and coalesce(station_id, 0) = coalesce(%(station_id)s::int, 0);

-- name: add_alone_rule
-- Say when officers count as alone.
insert into public.alone_rule (unit_id, station_id, limit_m, after_s)
values (%(unit_id)s::int, %(station_id)s::int, %(limit_m)s::double precision, %(after_s)s::double precision);

-- name: visits
-- Visits of a geofence that ended in a period, newest first.
select device_id, unit_id, (extract(epoch from entered_at) * 1000)::double precision as entered_ms,
    (extract(epoch from left_at) * 1000)::double precision as left_ms, is_judged_late
from store.geofence_visits(%(geofence_id)s::int, %(from_at)s::timestamptz, %(to_at)s::timestamptz, %(row_limit)s::int);

-- name: replace_visits
-- What the whole track shows of a period in which late reports came.
select store.replace_geofence_visits(
    %(device_id)s::int, %(from_at)s::timestamptz, %(to_at)s::timestamptz, %(visits)s::jsonb);
