-- Imports find a post or a camera again by its names.
set local role skybeat_owner;

create index post_names on public.post (kind, name_zh, name_en);
create index camera_names on public.camera (name_zh, name_en);
