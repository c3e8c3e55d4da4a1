-- What patrols are asked for and with what: read and written as who asks, so that row policies decide what may be.

-- name: load_items
-- All items of the scope.
select item_id, kind, version, body, station_id, source_ref from public.programme_item order by item_id;

-- name: find_item
-- One item of the scope.
select item_id, kind, version, body, station_id, source_ref from public.programme_item
where item_id = %(item_id)s::int and kind = %(kind)s::text;

-- name: add_item
-- A new item's number.
insert into public.programme_item (kind, body, station_id, source_ref, changed_at, changed_by)
values (%(kind)s, %(body)s, %(station_id)s, %(source_ref)s, %(now)s, %(by)s)
returning item_id;

-- name: change_item
-- The new version of an item that is of this version and within the scope; nothing otherwise.
update public.programme_item
set body = %(body)s, station_id = %(station_id)s, version = version + 1, changed_at = %(now)s, changed_by = %(by)s
where item_id = %(item_id)s::int and kind = %(kind)s::text and version = %(version)s::int
returning version;

-- name: remove_item
-- The number of the item that was taken away; nothing where the scope may not.
delete from public.programme_item where item_id = %(item_id)s::int and kind = %(kind)s::text returning item_id;

-- name: load_setting
-- What holds for the whole programme, and its version.
select body, version from public.programme_setting;

-- name: change_setting
-- The new version of the setting that is of this version; nothing otherwise.
update public.programme_setting
set body = %(body)s, version = version + 1, changed_at = %(now)s, changed_by = %(by)s
where version = %(version)s::int
returning version;
