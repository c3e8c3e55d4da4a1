-- The registry in the database: loaded as a whole, changed one thing at a time.

-- name: load_units
-- All units.
select unit_id, call_sign, kind, service, duty_status, station_id, name_zh, name_en, covert, equipment,
    trusted_device_id
from public.unit order by unit_id;

-- name: load_stations
-- All stations, coordinates in 1e-7 degree.
select station_id, number, name_zh, name_en, lat_e7, lon_e7, ring_order from public.station order by station_id;

-- name: load_devices
-- All devices, revoked ones too, with their sealed keys.
select device_id, protocol, address, label, report_interval_s, revoked_at is not null as revoked, options,
    coalesce((extract(epoch from pairs_until) * 1000000)::bigint, 0) as pairs_until_us, signing_key_sealed, secret_sealed
from public.device order by device_id;

-- name: load_registrations
-- Where each SIP device registered last.
select device_id, transport, host, port, contact, (extract(epoch from expires_at) * 1000000)::bigint as expires_us
from public.device_registration;

-- name: save_registration
-- Remember where a SIP device is reached.
insert into public.device_registration (device_id, transport, host, port, contact, expires_at)
values (%(device_id)s::int, %(transport)s::text, %(host)s::text, %(port)s::int, %(contact)s::text,
    %(expires_at)s::timestamptz)
on conflict (device_id) do update set transport = excluded.transport, host = excluded.host, port = excluded.port,
    contact = excluded.contact, expires_at = excluded.expires_at;

-- name: save_paired
-- Remember that a device used its secret.
select public.device_has_paired(%(device_id)s::int, now());

-- name: load_assignments
-- All assignments, oldest first.
select device_id, unit_id, (extract(epoch from started_at) * 1000000)::bigint as started_us,
    (extract(epoch from ended_at) * 1000000)::bigint as ended_us
from public.assignment order by started_at;

-- name: load_signing_timestamps
-- The newest accepted timestamp of each signed stream.
select device_id, link_id, component_id, timestamp from public.signing_timestamp;

-- name: load_quarantine
-- Who spoke without being known, the one heard last first.
select protocol, address, reason, (extract(epoch from first_seen_at) * 1000000)::bigint as first_seen_us,
    (extract(epoch from last_seen_at) * 1000000)::bigint as last_seen_us, seen_count
from public.quarantine order by last_seen_at desc limit 1000;

-- name: save_quarantine
-- Remember one unknown or refused name; counts and times only grow.
insert into public.quarantine as old (protocol, address, reason, first_seen_at, last_seen_at, seen_count)
values (%(protocol)s::text, %(address)s::text, %(reason)s::text, %(first_seen_at)s::timestamptz,
    %(last_seen_at)s::timestamptz, %(seen_count)s::bigint)
on conflict (protocol, address) do update set reason = excluded.reason,
    first_seen_at = least(old.first_seen_at, excluded.first_seen_at),
    last_seen_at = greatest(old.last_seen_at, excluded.last_seen_at),
    seen_count = greatest(old.seen_count, excluded.seen_count);

-- name: save_signing_timestamp
-- Remember how far a signed stream came; it never falls.
insert into public.signing_timestamp as old (device_id, link_id, component_id, timestamp)
values (%(device_id)s::int, %(link_id)s::smallint, %(component_id)s::smallint, %(timestamp)s::bigint)
on conflict (device_id, link_id, component_id) do update set timestamp = excluded.timestamp
where old.timestamp < excluded.timestamp;

-- name: add_device
-- Add a device; nothing when its name is taken.
insert into public.device (protocol, address, label, report_interval_s, signing_key_sealed, secret_sealed, options,
    pairs_until, created_at)
values (%(protocol)s::text, %(address)s::text, %(label)s::text, %(report_interval_s)s::double precision,
    %(signing_key_sealed)s::bytea, %(secret_sealed)s::bytea, %(options)s::jsonb, %(pairs_until)s::timestamptz,
    %(created_at)s::timestamptz)
on conflict (protocol, address) do nothing
returning device_id;

-- name: find_device
-- One device by its number.
select device_id, protocol, address, label, report_interval_s, revoked_at is not null as revoked, options,
    coalesce((extract(epoch from pairs_until) * 1000000)::bigint, 0) as pairs_until_us
from public.device where device_id = %(device_id)s::int;

-- name: find_device_by_name
-- One device by its protocol and address.
select device_id, protocol, address, label, report_interval_s, revoked_at is not null as revoked, options,
    coalesce((extract(epoch from pairs_until) * 1000000)::bigint, 0) as pairs_until_us
from public.device where protocol = %(protocol)s::text and address = %(address)s::text;

-- name: find_device_by_label
-- The oldest unrevoked device of a protocol and label.
select device_id, protocol, address, label, report_interval_s, revoked_at is not null as revoked, options,
    coalesce((extract(epoch from pairs_until) * 1000000)::bigint, 0) as pairs_until_us
from public.device where protocol = %(protocol)s::text and label = %(label)s::text and revoked_at is null
order by device_id limit 1;

-- name: list_devices
-- Every device with the unit that it speaks for now; the address of a phone is a digest and is cut.
select d.device_id, d.protocol,
    case when d.address ~ '^[0-9a-f]{64}$' then left(d.address, 8) else d.address end as address,
    d.label, d.report_interval_s, u.call_sign, (extract(epoch from d.created_at) * 1000000)::bigint as created_us,
    (extract(epoch from d.revoked_at) * 1000000)::bigint as revoked_us, d.signing_key_sealed is not null as signs,
    (extract(epoch from d.pairs_until) * 1000000)::bigint as pairs_until_us
from public.device d
left join public.assignment a on a.device_id = d.device_id and a.ended_at is null
left join public.unit u on u.unit_id = a.unit_id
order by d.device_id;

-- name: revoke_device
-- Refuse a device from now on.
update public.device set revoked_at = coalesce(revoked_at, %(now_at)s::timestamptz) where device_id = %(device_id)s::int;

-- name: rotate_device
-- Give a device a new secret: another address for a phone, another key for an autopilot.
update public.device set address = %(address)s::text, signing_key_sealed = %(signing_key_sealed)s::bytea,
    secret_sealed = %(secret_sealed)s::bytea, pairs_until = %(pairs_until)s::timestamptz, paired_at = null
where device_id = %(device_id)s::int;

-- name: end_assignment
-- End what a device does now.
update public.assignment
set ended_at = greatest(%(now_at)s::timestamptz, started_at + interval '1 microsecond')
where device_id = %(device_id)s::int and ended_at is null
returning (extract(epoch from ended_at) * 1000000)::bigint;

-- name: start_assignment
-- Let a device speak for a unit from now on.
insert into public.assignment (device_id, unit_id, started_at)
values (%(device_id)s::int, %(unit_id)s::int, %(now_at)s::timestamptz);

-- name: find_assignment
-- The unit that a device speaks for now.
select unit_id from public.assignment where device_id = %(device_id)s::int and ended_at is null;

-- name: find_unit
-- One unit by its call sign.
select unit_id, call_sign, kind, service, duty_status, station_id, name_zh, name_en, covert, equipment,
    trusted_device_id
from public.unit where call_sign = %(call_sign)s::text;

-- name: save_unit
-- Add a unit or change the one of that call sign; its duty status and equipment stay unless they are given.
insert into public.unit as old (call_sign, kind, service, duty_status, station_id, name_zh, name_en, covert, equipment)
values (%(call_sign)s::text, %(kind)s::text, %(service)s::text, coalesce(%(duty_status)s::text, 'off_duty'),
    %(station_id)s::int, %(name_zh)s::text, %(name_en)s::text, %(covert)s::boolean,
    coalesce(%(equipment)s::text[], '{}'))
on conflict (call_sign) do update set kind = excluded.kind, service = excluded.service,
    duty_status = coalesce(%(duty_status)s::text, old.duty_status), station_id = excluded.station_id,
    name_zh = excluded.name_zh, name_en = excluded.name_en, covert = excluded.covert,
    equipment = coalesce(%(equipment)s::text[], old.equipment)
returning unit_id, (xmax = 0) as is_new;

-- name: save_station
-- Add a station or change the one of that number.
insert into public.station as old (number, name_zh, name_en, lat_e7, lon_e7, ring_order)
values (%(number)s::int, %(name_zh)s::text, %(name_en)s::text, %(lat_e7)s::int, %(lon_e7)s::int, %(ring_order)s::int)
on conflict (number) do update set name_zh = excluded.name_zh, name_en = excluded.name_en,
    lat_e7 = excluded.lat_e7, lon_e7 = excluded.lon_e7, ring_order = excluded.ring_order
returning station_id, (xmax = 0) as is_new;

-- name: move_post
-- Change the post of that kind and names.
update public.post set lat_e7 = %(lat_e7)s::int, lon_e7 = %(lon_e7)s::int, station_id = %(station_id)s::int
where kind = %(kind)s::text and name_zh = %(name_zh)s::text and name_en = %(name_en)s::text
returning post_id;

-- name: add_post
-- Add a post.
insert into public.post (kind, name_zh, name_en, lat_e7, lon_e7, station_id)
values (%(kind)s::text, %(name_zh)s::text, %(name_en)s::text, %(lat_e7)s::int, %(lon_e7)s::int, %(station_id)s::int);

-- name: move_camera
-- Change the camera of those names.
update public.camera set lat_e7 = %(lat_e7)s::int, lon_e7 = %(lon_e7)s::int, station_id = %(station_id)s::int
where name_zh = %(name_zh)s::text and name_en = %(name_en)s::text
returning camera_id;

-- name: add_camera
-- Add a camera.
insert into public.camera (name_zh, name_en, lat_e7, lon_e7, station_id)
values (%(name_zh)s::text, %(name_en)s::text, %(lat_e7)s::int, %(lon_e7)s::int, %(station_id)s::int);

-- name: station_numbers
-- The numbers of all stations.
select number from public.station;

-- name: call_signs
-- The call signs of all units.
select call_sign from public.unit;
