-- How a task reaches its officer and what follows from it: the phone page's own device, duty statuses, webhooks and their outbox.
set local role skybeat_owner;

-- A duty status that changed alone is told as such, so that nobody loads the registry for it; everything else as before.
create function public.tell_unit_change() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if to_jsonb(old) - 'duty_status' <> to_jsonb(new) - 'duty_status' then
        perform pg_notify('skybeat_registry', 'unit');
    elsif old.duty_status <> new.duty_status then
        perform pg_notify('skybeat_registry', format('duty %s %s', new.unit_id, new.duty_status));
    end if;
    return null;
end
$$;
drop trigger unit_tells on public.unit;
create trigger unit_tells after insert or delete or truncate on public.unit
    for each statement execute function public.tell_registry_change();
create trigger unit_change_tells after update on public.unit
    for each row execute function public.tell_unit_change();

-- The duty status follows the dispatch in the same transaction: no kill and no second console comes between.
create function public.follow_dispatch() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if tg_op = 'UPDATE' and old.state = new.state then
        return null;
    end if;
    if new.state in ('accepted', 'under_way') then
        update public.unit set duty_status = 'en_route'
        where unit_id = new.unit_id and duty_status <> 'en_route';
    elsif new.state = 'arrived' then
        update public.unit set duty_status = 'on_scene'
        where unit_id = new.unit_id and duty_status <> 'on_scene';
    elsif new.state in ('cleared', 'declined', 'recalled') then
        update public.unit set duty_status = 'free'
        where unit_id = new.unit_id and duty_status in ('en_route', 'on_scene', 'engaged');
    end if;
    return null;
end
$$;
create trigger dispatch_moves_duty after insert or update of state on public.dispatch
    for each row execute function public.follow_dispatch();

-- On and off duty by hand: an officer for itself, those who act for the units of their scope. A unit with a task stays with it.
create function public.set_duty_status(asked_unit_id int, asked_status text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if public.scope_role() not in ('service', 'officer', 'operator', 'supervisor', 'admin')
        or not public.scope_sees_unit(asked_unit_id)
    then
        raise exception using
            errcode = 'insufficient_privilege',
            message = format('unit %s is outside the scope of role "%s"', asked_unit_id, public.scope_role()),
            hint = 'ask for units of your own stations, or for yourself';
    end if;
    if asked_status not in ('off_duty', 'standby', 'free') then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('duty status "%s" is not set by hand', asked_status),
            hint = 'give off_duty, standby or free; the others follow from tasks';
    end if;
    perform from public.unit where unit_id = asked_unit_id for no key update;
    if exists (
        select from public.dispatch d
        where d.unit_id = asked_unit_id and d.state not in ('cleared', 'declined', 'recalled')
    ) then
        raise exception using
            errcode = 'object_in_use',
            message = format('unit %s has a task', asked_unit_id),
            hint = 'decline or clear it, or let it be recalled';
    end if;
    update public.unit set duty_status = asked_status where unit_id = asked_unit_id and duty_status <> asked_status;
    return found;
end
$$;

-- The signed-in officer's own device: its phone page. It takes no name and no unit: both follow from who is signed in.
create function public.ensure_own_device(out own_device_id int, out own_unit_id int, out began_at timestamptz)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    own_address text := 'account/' || public.scope_account_id();
    revoked timestamptz;
    held record;
begin
    select a.unit_id into own_unit_id from public.account a
    where public.scope_role() = 'officer' and a.account_id = public.scope_account_id() and a.role = 'officer'
      and a.unit_id = public.scope_unit_id() and a.disabled_at is null;
    if own_unit_id is null then
        raise exception using
            errcode = 'insufficient_privilege',
            message = 'only an officer with a unit shares a position from the phone page',
            hint = 'sign in again, or ask an administrator for an account of role officer';
    end if;
    insert into public.device (protocol, address, label, report_interval_s)
    values ('skybeat', own_address, 'phone page', 5)
    on conflict (protocol, address) do nothing;
    select d.device_id, d.revoked_at into own_device_id, revoked from public.device d
    where d.protocol = 'skybeat' and d.address = own_address for update;
    if revoked is not null then
        raise exception using
            errcode = 'insufficient_privilege',
            message = format('device %s (this phone page) is revoked', own_device_id),
            hint = 'ask an administrator for another account';
    end if;
    select a.unit_id, a.started_at into held from public.assignment a
    where a.device_id = own_device_id and a.ended_at is null;
    if held.unit_id = own_unit_id then
        began_at := held.started_at;
        return;
    end if;
    update public.assignment set ended_at = greatest(now(), started_at + interval '1 microsecond')
    where device_id = own_device_id and ended_at is null;
    -- a little back, so that a clock that is behind the server's finds it begun
    select greatest(now() - interval '5 seconds', max(a.ended_at)) into began_at from public.assignment a
    where a.device_id = own_device_id;
    insert into public.assignment (device_id, unit_id, started_at) values (own_device_id, own_unit_id, began_at);
end
$$;

-- Where changes of incidents are told to, by an administrator's word alone.
create table public.webhook (
    webhook_id int generated by default as identity primary key,
    label text not null default '',
    url text not null unique check (url <> ''),
    inside boolean not null default false,
    secret_sealed bytea not null,
    created_at timestamptz not null,
    disabled_at timestamptz,
    disabled_reason text not null default ''
);

-- The outbox: written with the change itself, read by whoever delivers. The body is what is signed, byte for byte.
create table public.webhook_delivery (
    delivery_id bigint generated always as identity primary key,
    webhook_id int not null references public.webhook on delete cascade,
    incident_id int not null references public.incident on delete cascade,
    change_sequence bigint not null,
    message_id text not null unique default 'msg_' || replace(gen_random_uuid()::text, '-', ''),
    body text not null,
    queued_at timestamptz not null default now(),
    next_at timestamptz not null default now(),
    claimed_at timestamptz,
    attempt_count int not null default 0,
    delivered_at timestamptz,
    given_up_at timestamptz,
    last_error text not null default ''
);
create unique index webhook_delivery_change on public.webhook_delivery (webhook_id, change_sequence);
create index webhook_delivery_waiting on public.webhook_delivery (webhook_id, incident_id, change_sequence)
    where delivered_at is null and given_up_at is null;
create index webhook_delivery_done on public.webhook_delivery (queued_at)
    where delivered_at is not null or given_up_at is not null;

-- What leaves the house: numbers, states and times. Neither caller, words, place nor links; a covert unit is not named.
create function public.webhook_body(asked_incident_id int, event_type text) returns text
language sql stable set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
    select jsonb_build_object(
        'type', event_type,
        'timestamp', to_jsonb(i.changed_at),
        'data', jsonb_build_object(
            'incident_id', i.incident_id,
            'number', i.number,
            'version', i.version,
            'sequence', i.change_sequence,
            'state', i.state,
            'urgency', i.urgency_rank,
            'category', i.category,
            'source', i.source,
            'source_ref', i.source_ref,
            'station_number', (select s.number from public.station s where s.station_id = i.station_id),
            'reported_at', i.reported_at,
            'closed_at', i.closed_at,
            'dispatches', coalesce((
                select jsonb_agg(jsonb_build_object(
                    'dispatch_id', d.dispatch_id,
                    'call_sign', u.call_sign,
                    'state', d.state,
                    'queued_at', d.queued_at,
                    'accepted_at', d.accepted_at,
                    'arrived_at', d.arrived_at,
                    'cleared_at', d.cleared_at
                ) order by d.dispatch_id)
                from public.dispatch d join public.unit u on u.unit_id = d.unit_id
                where d.incident_id = i.incident_id and not u.covert
            ), '[]')
        )
    )::text
    from public.incident i where i.incident_id = asked_incident_id
$$;

create function public.fill_webhook_outbox() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    event_type text := case tg_op when 'INSERT' then 'incident.created' else 'incident.changed' end;
begin
    if not exists (select from public.webhook where disabled_at is null) then
        return null;
    end if;
    insert into public.webhook_delivery (webhook_id, incident_id, change_sequence, body)
    select w.webhook_id, new.incident_id, new.change_sequence, public.webhook_body(new.incident_id, event_type)
    from public.webhook w where w.disabled_at is null
    on conflict (webhook_id, change_sequence) do nothing;
    perform pg_notify('skybeat_webhook', '');
    return null;
end
$$;
-- Deferred to the commit: by then the dispatches of the same change are written too.
create constraint trigger incident_fills_outbox after insert or update on public.incident
    deferrable initially deferred
    for each row execute function public.fill_webhook_outbox();

alter table public.webhook enable row level security;
alter table public.webhook_delivery enable row level security;
create policy by_service on public.webhook to skybeat_app using (public.scope_role() = 'service');
create policy by_service on public.webhook_delivery to skybeat_app using (public.scope_role() = 'service');
grant select on public.webhook to skybeat_app;
grant update (disabled_at, disabled_reason) on public.webhook to skybeat_app;
grant select, update, delete on public.webhook_delivery to skybeat_app;

revoke all on function public.set_duty_status(int, text), public.ensure_own_device(), public.webhook_body(int, text) from public;
grant execute on function public.set_duty_status(int, text), public.ensure_own_device() to skybeat_app;
