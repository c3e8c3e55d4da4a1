-- The wind as somebody told it: every telling is a row, the newest counts, nothing is written over.
set local role skybeat_owner;

create table public.condition_report (
    condition_report_id bigint generated always as identity primary key,
    told_at timestamptz not null,
    account_id int references public.account on delete set null,
    told_by text not null check (told_by <> ''),
    wind_from_deg double precision check (wind_from_deg >= 0 and wind_from_deg < 360),
    wind_mps double precision check (wind_mps between 0 and 60),
    check ((wind_from_deg is null) = (wind_mps is null))
);

alter table public.condition_report enable row level security;
create policy watchers_read on public.condition_report for select to skybeat_app
    using (public.scope_role() in ('service', 'viewer', 'operator', 'supervisor', 'admin'));
create policy actors_tell on public.condition_report for insert to skybeat_app
    with check (public.scope_role() in ('operator', 'supervisor', 'admin') and account_id = public.scope_account_id());
grant select, insert on public.condition_report to skybeat_app;
