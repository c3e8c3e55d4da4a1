-- Webhooks and their outbox, asked by the console itself (scope "service").

-- name: enabled
-- The receivers that are told of changes.
select webhook_id, label, url, inside, secret_sealed from public.webhook where disabled_at is null order by webhook_id;

-- name: claim
-- The next message of a receiver: the oldest that is due and before which nothing of its incident waits. Nobody else takes it for 20 s.
update public.webhook_delivery d
set claimed_at = %(now)s::timestamptz, attempt_count = d.attempt_count + 1
where d.delivery_id = (
    select c.delivery_id from public.webhook_delivery c
    where c.webhook_id = %(webhook_id)s::int and c.delivered_at is null and c.given_up_at is null
      and (
          c.attempt_count = 0 or c.next_at <= %(now)s::timestamptz
          or c.next_at > %(now)s::timestamptz + interval '90 minutes' -- no wait is so long: our clock was set back
      )
      and (
          c.claimed_at is null or c.claimed_at < %(now)s::timestamptz - interval '20 seconds'
          or c.claimed_at > %(now)s::timestamptz + interval '20 seconds' -- as above
      )
      and not exists (
          select from public.webhook_delivery e
          where e.webhook_id = c.webhook_id and e.incident_id = c.incident_id and e.change_sequence < c.change_sequence
            and e.delivered_at is null and e.given_up_at is null
      )
    order by c.change_sequence limit 1
    for update skip locked
)
returning d.delivery_id, d.message_id, d.body, d.queued_at, d.attempt_count;

-- name: delivered
-- The receiver has it.
update public.webhook_delivery
set delivered_at = %(now)s::timestamptz, claimed_at = null, last_error = ''
where delivery_id = %(delivery_id)s::bigint;

-- name: failed
-- The receiver does not have it yet.
update public.webhook_delivery
set next_at = %(next_at)s::timestamptz, claimed_at = null, last_error = %(error)s::text
where delivery_id = %(delivery_id)s::bigint;

-- name: give_up
-- The receiver will not have it.
update public.webhook_delivery
set given_up_at = %(now)s::timestamptz, claimed_at = null, last_error = %(error)s::text
where delivery_id = %(delivery_id)s::bigint;

-- name: disable
-- The receiver says that it is gone for good: tell it nothing more.
with waiting as (
    update public.webhook_delivery
    set given_up_at = %(now)s::timestamptz, claimed_at = null, last_error = %(error)s::text
    where webhook_id = %(webhook_id)s::int and delivered_at is null and given_up_at is null
)
update public.webhook set disabled_at = %(now)s::timestamptz, disabled_reason = %(error)s::text
where webhook_id = %(webhook_id)s::int;

-- name: troubles
-- Receivers with what was given up within a day, or waits since longer than five minutes.
select w.webhook_id, w.label, w.disabled_reason,
    count(*) filter (where d.given_up_at > %(now)s::timestamptz - interval '1 day') as given_up_count,
    count(*) filter (where d.delivered_at is null and d.given_up_at is null and d.attempt_count > 0
        and d.queued_at < %(now)s::timestamptz - interval '5 minutes') as late_count,
    coalesce(max(d.last_error) filter (where d.delivered_at is null), '') as last_error
from public.webhook w join public.webhook_delivery d using (webhook_id)
where d.delivered_at is null
group by w.webhook_id order by w.webhook_id;

-- name: sweep
-- Forget what is over for a week.
delete from public.webhook_delivery
where (delivered_at is not null or given_up_at is not null) and queued_at < %(before)s::timestamptz;
