-- Accounts, sessions and one-time links, asked by the console itself (scope "service").

-- name: account_by_name
-- One account by its name.
select account_id, name, role, station_ids, unit_id, password_hash, disabled_at is not null as disabled
from public.account where name = %(name)s;

-- name: list_accounts
-- All accounts by name.
select account_id, name, role, station_ids, unit_id, password_hash, disabled_at is not null as disabled
from public.account order by name;

-- name: count_admins_with_password
-- How many administrators could sign in by themselves.
select count(*) from public.account where role = 'admin' and disabled_at is null and password_hash is not null;

-- name: add_account
-- A new account without a password; nothing when the name is taken.
insert into public.account (name, role, station_ids, unit_id)
values (%(name)s, %(role)s, %(station_ids)s, %(unit_id)s)
on conflict (name) do nothing
returning account_id, name, role, station_ids, unit_id, password_hash, disabled_at is not null as disabled;

-- name: set_password
-- A new password hash.
update public.account set password_hash = %(password_hash)s where account_id = %(account_id)s;

-- name: disable_account
-- No more sign-ins; the first time counts.
update public.account set disabled_at = coalesce(disabled_at, %(now)s) where name = %(name)s returning account_id;

-- name: end_sessions_of
-- End all sessions of an account, except one.
delete from public.session
where account_id = %(account_id)s and token_sha256 is distinct from %(except_sha256)s::bytea;

-- name: add_link
-- A one-time link.
insert into public.sign_in_link (token_sha256, account_id, expires_at)
values (%(token_sha256)s, %(account_id)s, %(expires_at)s);

-- name: void_links_of
-- Earlier links of an account stop working.
update public.sign_in_link set used_at = %(now)s where account_id = %(account_id)s and used_at is null;

-- name: use_link
-- Use a link up: one row for exactly one of all who try, nothing for a used, expired or unknown one.
update public.sign_in_link link set used_at = %(now)s
from public.account a
where link.token_sha256 = %(token_sha256)s and link.used_at is null and link.expires_at > %(now)s
  and a.account_id = link.account_id and a.disabled_at is null
returning a.account_id, a.name, a.role, a.station_ids, a.unit_id, a.password_hash, false as disabled;

-- name: link_used_since
-- Whether a link of the account was used, or made void by a newer one, since a time.
select exists (
    select from public.sign_in_link where account_id = %(account_id)s and used_at >= %(since)s
) as used;

-- name: add_session
-- A session.
insert into public.session (token_sha256, account_id, created_at, last_seen_at, expires_at)
values (%(token_sha256)s, %(account_id)s, %(now)s, %(now)s, %(expires_at)s);

-- name: sessions
-- Sessions by their hashes with their accounts, ended and disabled ones left out.
select s.token_sha256, s.last_seen_at, s.expires_at,
    a.account_id, a.name, a.role, a.station_ids, a.unit_id, a.password_hash, false as disabled
from public.session s join public.account a using (account_id)
where s.token_sha256 = any (%(hashes)s::bytea[]) and s.expires_at > %(now)s and s.last_seen_at > %(idle_since)s
  and a.disabled_at is null;

-- name: signed_in
-- Those of the accounts that have a session which has not ended.
select distinct s.account_id
from public.session s join public.account a using (account_id)
where s.account_id = any (%(account_ids)s::int[]) and s.expires_at > %(now)s and s.last_seen_at > %(idle_since)s
  and a.disabled_at is null;

-- name: touch_session
-- Somebody used the session.
update public.session set last_seen_at = %(now)s where token_sha256 = %(token_sha256)s;

-- name: end_session
-- Sign out.
delete from public.session where token_sha256 = %(token_sha256)s;

-- name: sweep
-- Forget what is over for a day.
with links as (delete from public.sign_in_link where expires_at < %(before)s)
delete from public.session where expires_at < %(before)s;
