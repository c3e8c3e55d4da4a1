-- The console's doors to devices: enrol, rotate, revoke, assign, set options, choose who is trusted; each checks who asks.
set local role skybeat_owner;

-- Who may change a device: an administrator or a supervisor, of the stations of the unit that it speaks for.
create function public.scope_manages_device(asked_device_id int) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select public.scope_role() in ('supervisor', 'admin') and coalesce((
        select case when a.unit_id is null then public.scope_station_ids() = '{}' else public.scope_sees_unit(a.unit_id) end
        from public.device d
        left join public.assignment a on a.device_id = d.device_id and a.ended_at is null
        where d.device_id = asked_device_id
    ), false)
$$;

-- Raises unless the scope may change the device and it is not revoked; locks its row until the transaction ends.
create function public.demand_device(asked_device_id int) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    revoked timestamptz;
begin
    select d.revoked_at into revoked from public.device d where d.device_id = asked_device_id for update;
    if not found or not public.scope_manages_device(asked_device_id) then
        raise exception using
            errcode = 'insufficient_privilege',
            message = format('device %s is outside the scope of role "%s"', asked_device_id, public.scope_role()),
            hint = 'devices are changed by administrators, and by supervisors for units of their stations';
    end if;
    if revoked is not null then
        raise exception using
            errcode = 'object_not_in_prerequisite_state',
            message = format('device %s is revoked', asked_device_id),
            hint = 'enrol it anew';
    end if;
end
$$;

-- Raises unless the scope may give devices to the unit; null is nobody, which needs the whole force.
create function public.demand_unit_for_device(asked_unit_id int) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if public.scope_role() not in ('supervisor', 'admin') or not (
        case when asked_unit_id is null then public.scope_station_ids() = '{}' else public.scope_sees_unit(asked_unit_id) end
    ) then
        raise exception using
            errcode = 'insufficient_privilege',
            message = format('unit %s is outside the scope of role "%s"', asked_unit_id, public.scope_role()),
            hint = 'give a unit of your own stations';
    end if;
end
$$;

-- Begins a little back, so that a clock that is behind the server's finds it begun; ends what the device did before.
create function public.move_device(asked_device_id int, asked_unit_id int) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    begins timestamptz;
begin
    update public.assignment set ended_at = greatest(now(), started_at + interval '1 microsecond')
    where device_id = asked_device_id and ended_at is null;
    if asked_unit_id is null then
        return;
    end if;
    select greatest(now() - interval '5 seconds', max(a.ended_at)) into begins from public.assignment a
    where a.device_id = asked_device_id;
    insert into public.assignment (device_id, unit_id, started_at) values (asked_device_id, asked_unit_id, begins);
end
$$;

-- A device that speaks for the unit no longer is not the one that people trust for it.
create function public.forget_trusted_device() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    update public.unit set trusted_device_id = null
    where unit_id = new.unit_id and trusted_device_id = new.device_id;
    return null;
end
$$;
create trigger assignment_ends_trust after update of ended_at on public.assignment
    for each row when (new.ended_at is not null) execute function public.forget_trusted_device();

-- Returns null when the protocol has a device of that address already.
create function public.enrol_device(
    asked_protocol text, asked_address text, asked_label text, interval_s double precision,
    signing_key bytea, secret bytea, asked_options jsonb, asked_pairs_until timestamptz, asked_unit_id int
) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    new_device_id int;
begin
    perform public.demand_unit_for_device(asked_unit_id);
    insert into public.device (
        protocol, address, label, report_interval_s, signing_key_sealed, secret_sealed, options, pairs_until
    ) values (
        asked_protocol, asked_address, asked_label, interval_s, signing_key, secret, asked_options, asked_pairs_until
    )
    on conflict (protocol, address) do nothing returning device_id into new_device_id;
    if new_device_id is not null then
        perform public.move_device(new_device_id, asked_unit_id);
        delete from public.quarantine q where q.protocol = asked_protocol and q.address = asked_address;
    end if;
    return new_device_id;
end
$$;

-- Returns null when the call sign is taken. A unit without station belongs to the whole force.
create function public.add_unit(
    asked_call_sign text, asked_kind text, asked_service text, asked_station_id int, asked_name_zh text, asked_name_en text
) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    new_unit_id int;
begin
    if public.scope_role() not in ('supervisor', 'admin') or not public.scope_sees_station(asked_station_id) then
        raise exception using
            errcode = 'insufficient_privilege',
            message = format('station %s is outside the scope of role "%s"', asked_station_id, public.scope_role()),
            hint = 'give one of your own stations';
    end if;
    insert into public.unit (call_sign, kind, service, station_id, name_zh, name_en)
    values (asked_call_sign, asked_kind, asked_service, asked_station_id, asked_name_zh, asked_name_en)
    on conflict (call_sign) do nothing returning unit_id into new_unit_id;
    return new_unit_id;
end
$$;

create function public.rotate_device(
    asked_device_id int, new_address text, signing_key bytea, secret bytea, asked_pairs_until timestamptz
) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform public.demand_device(asked_device_id);
    update public.device set address = new_address, signing_key_sealed = signing_key, secret_sealed = secret,
        pairs_until = asked_pairs_until, paired_at = null
    where device_id = asked_device_id;
    delete from public.device_registration where device_id = asked_device_id;
end
$$;

create function public.revoke_device(asked_device_id int) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform public.demand_device(asked_device_id);
    update public.device set revoked_at = now(), pairs_until = null where device_id = asked_device_id;
    perform public.move_device(asked_device_id, null);
    delete from public.device_registration where device_id = asked_device_id;
end
$$;

create function public.assign_device(asked_device_id int, asked_unit_id int) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform public.demand_device(asked_device_id);
    perform public.demand_unit_for_device(asked_unit_id);
    if asked_unit_id is null or not exists (
        select from public.assignment a
        where a.device_id = asked_device_id and a.unit_id = asked_unit_id and a.ended_at is null
    ) then
        perform public.move_device(asked_device_id, asked_unit_id);
    end if;
end
$$;

create function public.set_device_options(
    asked_device_id int, asked_label text, interval_s double precision, asked_options jsonb
) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform public.demand_device(asked_device_id);
    update public.device set label = asked_label, report_interval_s = interval_s, options = asked_options
    where device_id = asked_device_id;
end
$$;

-- Which of a unit's devices people believe; null: the best one. For all who act, within their stations.
create function public.set_trusted_device(asked_unit_id int, asked_device_id int) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if public.scope_role() not in ('operator', 'supervisor', 'admin') or not public.scope_sees_unit(asked_unit_id) then
        raise exception using
            errcode = 'insufficient_privilege',
            message = format('unit %s is outside the scope of role "%s"', asked_unit_id, public.scope_role()),
            hint = 'ask for units of your own stations';
    end if;
    if asked_device_id is not null and not exists (
        select from public.assignment a where a.device_id = asked_device_id and a.unit_id = asked_unit_id and a.ended_at is null
    ) then
        raise exception using
            errcode = 'object_not_in_prerequisite_state',
            message = format('device %s does not speak for unit %s', asked_device_id, asked_unit_id),
            hint = 'trust one of the unit''s own devices';
    end if;
    update public.unit set trusted_device_id = asked_device_id
    where unit_id = asked_unit_id and trusted_device_id is distinct from asked_device_id;
    return found;
end
$$;

create function public.dismiss_quarantined(asked_protocol text, asked_address text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if public.scope_role() not in ('supervisor', 'admin') then
        raise exception using
            errcode = 'insufficient_privilege',
            message = format('role "%s" does not clear the quarantine', public.scope_role()),
            hint = 'ask a supervisor or an administrator';
    end if;
    delete from public.quarantine where protocol = asked_protocol and address = asked_address;
end
$$;

revoke all on function
    public.scope_manages_device(int), public.demand_device(int), public.demand_unit_for_device(int),
    public.move_device(int, int), public.forget_trusted_device(),
    public.enrol_device(text, text, text, double precision, bytea, bytea, jsonb, timestamptz, int),
    public.add_unit(text, text, text, int, text, text),
    public.rotate_device(int, text, bytea, bytea, timestamptz), public.revoke_device(int),
    public.assign_device(int, int), public.set_device_options(int, text, double precision, jsonb),
    public.set_trusted_device(int, int), public.dismiss_quarantined(text, text)
from public;
grant execute on function
    public.enrol_device(text, text, text, double precision, bytea, bytea, jsonb, timestamptz, int),
    public.add_unit(text, text, text, int, text, text),
    public.rotate_device(int, text, bytea, bytea, timestamptz), public.revoke_device(int),
    public.assign_device(int, int), public.set_device_options(int, text, double precision, jsonb),
    public.set_trusted_device(int, int), public.dismiss_quarantined(text, text)
to skybeat_app;
