-- Who may see what: one function a question, read by the policies of ordinary tables and by the doors to history.
set local role skybeat_owner;

create function public.scope_role() returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
    select coalesce(current_setting('skybeat.account_role', true), '')
$$;

create function public.scope_station_ids() returns int[]
language sql stable set search_path = pg_catalog, pg_temp as $$
    select coalesce(string_to_array(nullif(current_setting('skybeat.station_ids', true), ''), ',')::int[], '{}')
$$;

create function public.scope_unit_id() returns int
language sql stable set search_path = pg_catalog, pg_temp as $$
    select nullif(current_setting('skybeat.unit_id', true), '')::int
$$;

create function public.scope_account_id() returns int
language sql stable set search_path = pg_catalog, pg_temp as $$
    select nullif(current_setting('skybeat.account_id', true), '')::int
$$;

create function public.scope_sees_station(asked_station_id int) returns boolean
language sql stable set search_path = pg_catalog, pg_temp as $$
    select public.scope_station_ids() = '{}' or coalesce(asked_station_id = any (public.scope_station_ids()), false)
$$;

create function public.scope_sees_unit(asked_unit_id int, asked_station_id int, asked_covert boolean) returns boolean
language sql stable set search_path = pg_catalog, pg_temp as $$
    select case public.scope_role()
        when 'service' then true
        when 'officer' then coalesce(asked_unit_id = public.scope_unit_id(), false)
        when 'viewer' then not asked_covert and public.scope_sees_station(asked_station_id)
        when 'operator' then not asked_covert and public.scope_sees_station(asked_station_id)
        when 'supervisor' then public.scope_sees_station(asked_station_id)
        when 'admin' then public.scope_sees_station(asked_station_id)
        else false
    end
$$;

create function public.scope_sees_unit(asked_unit_id int) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select coalesce((
        select public.scope_sees_unit(u.unit_id, u.station_id, u.covert) from public.unit u where u.unit_id = asked_unit_id
    ), false)
$$;

alter table public.station enable row level security;
alter table public.unit enable row level security;
alter table public.device enable row level security;
alter table public.assignment enable row level security;
alter table public.signing_timestamp enable row level security;
alter table public.post enable row level security;
alter table public.camera enable row level security;
alter table public.quarantine enable row level security;
alter table public.account enable row level security;
alter table public.session enable row level security;
alter table public.sign_in_link enable row level security;
alter table public.audit enable row level security;

-- The bridge reads the whole registry and writes down who spoke unknown and how far signatures came.
create policy bridge_reads on public.station for select to skybeat_writer using (true);
create policy bridge_reads on public.unit for select to skybeat_writer using (true);
create policy bridge_reads on public.device for select to skybeat_writer using (true);
create policy bridge_reads on public.assignment for select to skybeat_writer using (true);
create policy bridge_keeps on public.signing_timestamp to skybeat_writer using (true) with check (true);
create policy bridge_keeps on public.quarantine to skybeat_writer using (true) with check (true);

-- Places are known to everyone who is signed in; units only within the scope; keys to nobody.
create policy signed_in on public.station for select to skybeat_app using (public.scope_role() <> '');
create policy signed_in on public.post for select to skybeat_app using (public.scope_role() <> '');
create policy signed_in on public.camera for select to skybeat_app using (public.scope_role() <> '');
create policy in_scope on public.unit for select to skybeat_app
    using (public.scope_sees_unit(unit_id, station_id, covert));
create policy in_scope on public.assignment for select to skybeat_app using (public.scope_sees_unit(unit_id));
create policy in_scope on public.device for select to skybeat_app using (
    public.scope_role() in ('service', 'admin')
    or exists (select from public.assignment a where a.device_id = device.device_id and a.ended_at is null)
);
create policy in_scope on public.quarantine for select to skybeat_app
    using (public.scope_role() in ('service', 'operator', 'supervisor', 'admin'));

-- The console itself (role "service") signs people in; an account sees itself, an administrator all.
create policy self_or_admin on public.account for select to skybeat_app
    using (public.scope_role() in ('service', 'admin') or account_id = public.scope_account_id());
create policy added_by_service on public.account for insert to skybeat_app
    with check (public.scope_role() in ('service', 'admin'));
create policy changed_by_service on public.account for update to skybeat_app
    using (public.scope_role() in ('service', 'admin'));
create policy by_service on public.session to skybeat_app using (public.scope_role() = 'service');
create policy by_service on public.sign_in_link to skybeat_app using (public.scope_role() = 'service');
create policy anyone_appends on public.audit for insert to skybeat_app with check (public.scope_role() <> '');
create policy chiefs_read on public.audit for select to skybeat_app
    using (public.scope_role() in ('service', 'supervisor', 'admin'));

grant select on public.station, public.unit, public.assignment, public.post, public.camera, public.quarantine
    to skybeat_app;
grant select (device_id, protocol, address, label, report_interval_s, created_at, revoked_at)
    on public.device to skybeat_app;
grant select, insert, update on public.account to skybeat_app;
grant select, insert, update, delete on public.session, public.sign_in_link to skybeat_app;
grant select, insert on public.audit to skybeat_app;
