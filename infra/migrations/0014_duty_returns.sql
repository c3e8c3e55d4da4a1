-- Only who went for a task comes back free from it: one that declines or is recalled before it accepted stays what it was.
set local role skybeat_owner;

create or replace function public.follow_dispatch() returns trigger
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
    elsif tg_op = 'UPDATE' and old.state in ('accepted', 'under_way', 'arrived') then
        update public.unit set duty_status = 'free'
        where unit_id = new.unit_id and duty_status in ('en_route', 'on_scene');
    end if;
    return null;
end
$$;
