-- The air has no stations: whoever plans sees the zones that are closed, whosever they are. A keep-in area binds its own station's
-- flights alone. Changing a zone stays with whose it is.
set local role skybeat_owner;

drop policy in_scope on public.programme_item;
create policy in_scope on public.programme_item for select to skybeat_app using (
    public.scope_role() not in ('', 'officer')
    and (
        station_id is null
        or public.scope_role() = 'service'
        or public.scope_sees_station(station_id)
        or (kind = 'zone' and body ->> 'kind' <> 'keep_in')
    )
);
