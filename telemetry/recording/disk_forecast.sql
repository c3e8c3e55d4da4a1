-- How the disk fills: samples that the recorder's housekeeping takes once an hour.

-- name: disk_samples
-- How the disk filled since a time, oldest first.
select (extract(epoch from sampled_at) * 1000000)::bigint as sampled_us, database_bytes, raw_bytes, rollup_bytes
from store.disk_samples(%(since_at)s::timestamptz);
