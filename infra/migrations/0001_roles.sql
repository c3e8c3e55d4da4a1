-- The three roles: one owns, one only inserts, one owns nothing. They get a login and a password from the installation.
do $$
declare
    role_name text;
    -- since PostgreSQL 16 a member may be forbidden to become the role
    may_become text := case when current_setting('server_version_num')::int >= 160000 then 'set' else 'member' end;
begin
    foreach role_name in array array['skybeat_owner', 'skybeat_writer', 'skybeat_app'] loop
        if not exists (select from pg_catalog.pg_roles where rolname = role_name) then
            execute format('create role %I nologin nosuperuser nocreatedb nocreaterole', role_name);
        end if;
        if not pg_catalog.pg_has_role(current_user, role_name, may_become) then
            begin
                execute format('grant %I to current_user', role_name);
            exception when insufficient_privilege or invalid_grant_operation then
                -- a login that is the owner itself need not become the other two
                if role_name = 'skybeat_owner' then
                    raise;
                end if;
            end;
        end if;
    end loop;
end
$$;

do $$
begin
    execute format('grant connect, temporary on database %I to skybeat_owner, skybeat_writer, skybeat_app', current_database());
    execute format('grant create on database %I to skybeat_owner', current_database());
end
$$;

grant usage, create on schema public to skybeat_owner;
grant usage on schema public to skybeat_writer, skybeat_app;
