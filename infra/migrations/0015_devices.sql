-- Devices of many protocols: the secret that a device and we share, how it differs from its standard, where it registered.
set local role skybeat_owner;

alter table public.device
    add column secret_sealed bytea,
    add column options jsonb not null default '{}' check (jsonb_typeof(options) = 'object'),
    add column pairs_until timestamptz,
    add column paired_at timestamptz;

alter table public.unit add column trusted_device_id int references public.device on delete set null;

-- Where a SIP device is reached and until when; what a restart must not forget.
create table public.device_registration (
    device_id int primary key references public.device on delete cascade,
    transport text not null check (transport in ('udp', 'tcp', 'tls')),
    host text not null check (host <> ''),
    port int not null check (port between 0 and 65535),
    contact text not null default '',
    expires_at timestamptz not null
);
alter table public.device_registration enable row level security;

grant select, insert, update on public.device_registration to skybeat_writer;
create policy by_writer on public.device_registration to skybeat_writer using (true) with check (true);

-- The only thing about a device that the writer may change: that it has used its secret, so that nobody is told it again.
create function public.device_has_paired(paired_device_id int, at timestamptz) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
    update public.device set paired_at = coalesce(paired_at, at), pairs_until = null where device_id = paired_device_id
$$;
revoke all on function public.device_has_paired(int, timestamptz) from public;
grant execute on function public.device_has_paired(int, timestamptz) to skybeat_writer;
