-- Keys by which scripts speak for an account, asked by the console itself (scope "service").

-- name: add_key
-- A new key's number; nothing where there is no such account, or it is disabled.
insert into public.account_key (account_id, label, secret_sha256, made_at)
select a.account_id, %(label)s, %(secret_sha256)s, %(now)s
from public.account a where a.name = %(name)s and a.disabled_at is null
returning key_id, account_id;

-- name: list_keys
-- An account's keys that are not revoked, the newest first.
select k.key_id, k.label, k.made_at, k.used_at from public.account_key k join public.account a using (account_id)
where a.name = %(name)s and k.revoked_at is null order by k.key_id desc;

-- name: revoke_key
-- The number of the key that works no longer.
update public.account_key k set revoked_at = %(now)s
from public.account a
where k.account_id = a.account_id and a.name = %(name)s and k.key_id = %(key_id)s::int and k.revoked_at is null
returning k.key_id;

-- name: find_key
-- The account for which a key speaks; nothing for a revoked key or a disabled account.
select k.key_id, k.label, k.used_at,
    a.account_id, a.name, a.role, a.station_ids, a.unit_id, a.password_hash, false as disabled
from public.account_key k join public.account a using (account_id)
where k.secret_sha256 = %(secret_sha256)s and k.revoked_at is null and a.disabled_at is null;

-- name: touch_key
-- Somebody used the key.
update public.account_key set used_at = %(now)s where key_id = %(key_id)s::int;
