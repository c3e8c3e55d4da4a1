-- Who sees which incidents, asked once a query and not once a row: a list of 50,000 took seconds for a station without any.
set local role skybeat_owner;

create index incident_station on public.incident (station_id, incident_id);

-- Incidents to which the scope's own units were sent: an officer's, or those of an account's stations.
create function public.scope_sent_incident_ids() returns setof int
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select d.incident_id from public.dispatch d
    where public.scope_role() = 'officer' and d.unit_id = public.scope_unit_id()
    union
    select d.incident_id from public.dispatch d join public.unit u on u.unit_id = d.unit_id
    where public.scope_role() in ('viewer', 'operator', 'supervisor', 'admin')
      and u.station_id = any (public.scope_station_ids())
$$;

alter policy in_scope on public.incident using (
    (select public.scope_role()) = 'service'
    or (
        (select public.scope_role()) in ('viewer', 'operator', 'supervisor', 'admin')
        and (
            (select public.scope_station_ids()) = '{}'
            or station_id = any ((select public.scope_station_ids())::int[])
            or past_station_ids && (select public.scope_station_ids())
        )
    )
    or (
        (select public.scope_role()) in ('officer', 'viewer', 'operator', 'supervisor', 'admin')
        and incident_id in (select public.scope_sent_incident_ids())
    )
);

-- Covert units, to those who may not know of them.
create function public.scope_hidden_unit_ids() returns setof int
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select u.unit_id from public.unit u
    where u.covert and public.scope_role() not in ('service', 'supervisor', 'admin')
$$;

alter policy in_scope on public.dispatch using (
    (select public.scope_role()) = 'service'
    or ((select public.scope_role()) = 'officer' and unit_id = (select public.scope_unit_id()))
    or (
        (select public.scope_role()) in ('viewer', 'operator', 'supervisor', 'admin')
        and exists (select from public.incident i where i.incident_id = dispatch.incident_id)
        and unit_id not in (select public.scope_hidden_unit_ids())
    )
);

alter policy in_scope on public.incident_entry using (
    (select public.scope_role()) = 'service'
    or (
        (select public.scope_role()) in ('viewer', 'operator', 'supervisor', 'admin')
        and exists (select from public.incident i where i.incident_id = incident_entry.incident_id)
        and (unit_id is null or unit_id not in (select public.scope_hidden_unit_ids()))
    )
);

revoke all on function public.scope_sent_incident_ids(), public.scope_hidden_unit_ids() from public;
grant execute on function public.scope_sent_incident_ids(), public.scope_hidden_unit_ids() to skybeat_app;
drop function public.scope_sees_incident(int);
drop function public.scope_sees_incident(int, int, int[]);
drop function public.scope_sees_covert(int);
