-- Incidents in the database: read as who asks, written as "service", one change at a time.

-- name: lock_changes
-- One writer at a time, so that change numbers come in the order of their commits.
select pg_advisory_xact_lock(%(key)s::bigint);

-- name: sees_incident
-- A row when the transaction's scope may see the incident.
select incident_id from public.incident where incident_id = %(incident_id)s::int;

-- name: find_incidents
-- Incidents by their ids.
select * from public.incident where incident_id = any (%(incident_ids)s::int[]) order by incident_id;

-- name: find_by_source
-- The incident that a source and key called by this reference.
select * from public.incident
where source = %(source)s::text and coalesce(intake_key_id, 0) = coalesce(%(intake_key_id)s::int, 0)
    and source_ref = %(source_ref)s::text;

-- name: find_by_webhook
-- The incident that a webhook's message made.
select * from public.incident
where intake_key_id = %(intake_key_id)s::int and webhook_id = %(webhook_id)s::text;

-- name: find_of_dispatch
-- The incident to which a dispatch belongs.
select incident_id from public.dispatch where dispatch_id = %(dispatch_id)s::int;

-- name: find_dispatches
-- All dispatches of incidents, in the order in which they were sent.
select * from public.dispatch where incident_id = any (%(incident_ids)s::int[]) order by dispatch_id;

-- name: live_dispatches_of_units
-- Where units are wanted now.
select d.unit_id, i.number, i.incident_id from public.dispatch d join public.incident i using (incident_id)
where d.unit_id = any (%(unit_ids)s::int[]) and d.state not in ('cleared', 'declined', 'recalled');

-- name: load_board
-- Incidents that are open or were closed lately.
select * from public.incident where closed_at is null or closed_at >= %(since_at)s::timestamptz;

-- name: forgotten_sequence
-- The highest change number of those that are not on the board.
select coalesce(max(change_sequence), 0) as sequence from public.incident where closed_at < %(since_at)s::timestamptz;

-- name: load_changed
-- Incidents changed after a number, in the order of their changes.
select * from public.incident where change_sequence > %(sequence)s::bigint order by change_sequence limit 5000;

-- name: list_incidents
-- Incidents of the transaction's scope, the newest first, before an id and within a period.
select * from public.incident
where incident_id < coalesce(%(before_id)s::int, 2147483647)
    and (%(from_at)s::timestamptz is null or reported_at >= %(from_at)s::timestamptz)
    and (%(to_at)s::timestamptz is null or reported_at < %(to_at)s::timestamptz)
order by incident_id desc limit %(limit)s::int;

-- name: next_number
-- The running number of a day.
insert into public.incident_day as d (day, last_number) values (%(day)s::date, 1)
on conflict (day) do update set last_number = d.last_number + 1
returning last_number;

-- name: add_incident
-- Add an incident; its id and change number.
insert into public.incident (
    number, change_sequence, state, urgency_rank, category, title, text, place_text, place_note, lat_e7, lon_e7,
    caller_name, caller_phone, audio_url, recording_url, needs, station_id, past_station_ids, source, source_ref,
    intake_key_id, webhook_id, source_sha256, reported_at, created_at, changed_at
) values (
    %(number)s::text, nextval('public.incident_change_sequence'), %(state)s::text, %(urgency_rank)s::smallint,
    %(category)s::text, %(title)s::text, %(text)s::text, %(place_text)s::text, %(place_note)s::text, %(lat_e7)s::int,
    %(lon_e7)s::int, %(caller_name)s::text, %(caller_phone)s::text, %(audio_url)s::text, %(recording_url)s::text,
    %(needs)s::text[], %(station_id)s::int, %(past_station_ids)s::int[], %(source)s::text, %(source_ref)s::text,
    %(intake_key_id)s::int, %(webhook_id)s::text, %(source_sha256)s::bytea, %(reported_at)s::timestamptz,
    %(created_at)s::timestamptz, %(changed_at)s::timestamptz
) returning incident_id, change_sequence;

-- name: save_incident
-- Write an incident as it stands now; its new change number.
update public.incident set
    version = %(version)s::int, change_sequence = nextval('public.incident_change_sequence'), state = %(state)s::text,
    urgency_rank = %(urgency_rank)s::smallint, category = %(category)s::text, title = %(title)s::text,
    text = %(text)s::text, place_text = %(place_text)s::text, place_note = %(place_note)s::text,
    lat_e7 = %(lat_e7)s::int, lon_e7 = %(lon_e7)s::int, caller_name = %(caller_name)s::text,
    caller_phone = %(caller_phone)s::text, audio_url = %(audio_url)s::text, recording_url = %(recording_url)s::text,
    needs = %(needs)s::text[], station_id = %(station_id)s::int, past_station_ids = %(past_station_ids)s::int[],
    agency_id = %(agency_id)s::int, changed_at = %(changed_at)s::timestamptz, closed_at = %(closed_at)s::timestamptz
where incident_id = %(incident_id)s::int
returning change_sequence;

-- name: add_dispatch
-- Add a dispatch; its id.
insert into public.dispatch (
    incident_id, unit_id, state, travel_s, distance_m, channel, sent_by, arrived_by, reason, queued_at, sent_at,
    received_at, accepted_at, under_way_at, arrived_at, cleared_at, declined_at, recalled_at
) values (
    %(incident_id)s::int, %(unit_id)s::int, %(state)s::text, %(travel_s)s::float8, %(distance_m)s::float8,
    %(channel)s::text, %(sent_by)s::text, %(arrived_by)s::text, %(reason)s::text, %(queued_at)s::timestamptz,
    %(sent_at)s::timestamptz, %(received_at)s::timestamptz, %(accepted_at)s::timestamptz,
    %(under_way_at)s::timestamptz, %(arrived_at)s::timestamptz, %(cleared_at)s::timestamptz,
    %(declined_at)s::timestamptz, %(recalled_at)s::timestamptz
) returning dispatch_id;

-- name: save_dispatch
-- Write what became of a dispatch.
update public.dispatch set
    state = %(state)s::text, channel = %(channel)s::text, arrived_by = %(arrived_by)s::text, reason = %(reason)s::text,
    sent_at = %(sent_at)s::timestamptz, received_at = %(received_at)s::timestamptz,
    accepted_at = %(accepted_at)s::timestamptz, under_way_at = %(under_way_at)s::timestamptz,
    arrived_at = %(arrived_at)s::timestamptz, cleared_at = %(cleared_at)s::timestamptz,
    declined_at = %(declined_at)s::timestamptz, recalled_at = %(recalled_at)s::timestamptz
where dispatch_id = %(dispatch_id)s::int;

-- name: add_entry
-- Add a line of history.
insert into public.incident_entry (
    incident_id, version, at, account_id, account_name, action, unit_id, state, note, changes
) values (
    %(incident_id)s::int, %(version)s::int, %(at)s::timestamptz, %(account_id)s::int, %(account_name)s::text,
    %(action)s::text, %(unit_id)s::int, %(state)s::text, %(note)s::text, %(changes)s::jsonb
);

-- name: list_entries
-- An incident's history, oldest first.
select * from public.incident_entry
where incident_id = %(incident_id)s::int and version > %(after_version)s::int order by entry_id limit 2000;

-- name: list_agencies
-- All agencies.
select * from public.agency order by agency_id;

-- name: load_past
-- Where and when calls were, the newest first.
select lat_e7, lon_e7, reported_at from public.incident
where lat_e7 is not null and reported_at >= %(since_at)s::timestamptz and state <> 'non_police'
order by reported_at desc limit %(limit)s::int;

-- name: find_key_by_token
-- The intake key of a bearer token that is not revoked.
select intake_key_id, label from public.intake_key
where token_sha256 = %(token_sha256)s::bytea and revoked_at is null;

-- name: find_key
-- A webhook's key that is not revoked, with its sealed secret.
select intake_key_id, label, secret_sealed from public.intake_key
where intake_key_id = %(intake_key_id)s::int and secret_sealed is not null and revoked_at is null;
