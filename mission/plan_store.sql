-- Plans of days of patrols: read and written as who asks, so that row policies decide what may be.

-- name: add_plan
-- A new plan's number.
insert into public.plan (
    from_at, until_at, score, sortie_count, refusal_count, body, programme, made_at, made_by, changed_at, changed_by
) values (
    %(from_at)s, %(until_at)s, %(score)s, %(sortie_count)s, %(refusal_count)s, %(body)s, %(programme)s,
    %(now)s, %(by)s, %(now)s, %(by)s
)
returning plan_id;

-- name: find_plan
-- A plan with the programme that it was made of.
select plan_id, version, state, body, programme, submitter_account_id, approver_account_id
from public.plan where plan_id = %(plan_id)s::int;

-- name: list_plans
-- Plans that touch a period, the newest first, without their bodies.
select plan_id, from_at, until_at, version, state, score, sortie_count, refusal_count, made_at, made_by
from public.plan where from_at < %(until_at)s::timestamptz and until_at > %(from_at)s::timestamptz
order by plan_id desc limit %(row_limit)s::int;

-- name: published_plans
-- The bodies of published plans that touch a period, the latest published last.
select plan_id, version, state, body, programme, submitter_account_id, approver_account_id from public.plan
where state = 'published' and from_at < %(until_at)s::timestamptz and until_at > %(from_at)s::timestamptz
order by changed_at;

-- name: change_plan
-- The new version of a plan that is of this version; nothing otherwise.
update public.plan set
    version = version + 1, state = %(state)s, score = %(score)s, sortie_count = %(sortie_count)s,
    refusal_count = %(refusal_count)s, body = %(body)s, programme = %(programme)s,
    submitter_account_id = %(submitter_account_id)s, approver_account_id = %(approver_account_id)s, changed_at = %(now)s, changed_by = %(by)s
where plan_id = %(plan_id)s::int and version = %(version)s::int
returning version;

-- name: lock_plan
-- A plan that nobody else changes until the transaction's end.
select plan_id, version, state, body, programme, submitter_account_id, approver_account_id
from public.plan where plan_id = %(plan_id)s::int for update;

-- name: note_sorties
-- How far the sorties of a plan came.
update public.plan set body = %(body)s where plan_id = %(plan_id)s::int;

-- name: remove_plan
-- The number of the draft that was taken away; nothing for another state, or where the scope may not.
delete from public.plan where plan_id = %(plan_id)s::int returning plan_id;
