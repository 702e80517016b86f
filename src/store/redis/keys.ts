/**
 * Where things lie. Every key of a store starts with `{<prefix>}:`, so all of them share one hash slot of a cluster, and a
 * script may touch any of them (docs/adr/0006-redis-one-slot-a-store.md).
 *
 * | key | type | what |
 * |---|---|---|
 * | `meta` | hash | version of this layout |
 * | `jobs` | hash | id -> record (record.ts) |
 * | `seq`, `batch` | number | last given |
 * | `queues`, `queueNames`, `tasks`, `taskNames` | hash | names and their numbers |
 * | `settings` | hash | number of a queue -> JSON of its settings |
 * | `counts`, `places`, `bytes`, `all:*` | hash, list | lua/_counts.lua |
 * | `line:*`, `priorities:*`, `back:*`, `due:*`, `ended:*`, `late:*`, `endedAt`, `turn:*`, `held:*`, `keys:*`, `trail:*`, `errors:*`, `logs:*` | | lua/_jobs.lua |
 * | `unique` | hash | lua/_unique.lua |
 * | `terms` | sorted set | lua/_terms.lua |
 * | `plans`, `planTexts:*`, `reports:*`, `planReports`, `planWakes`, `planExpires`, `planSeqs:*`, `planNo`, `reportNo` | | lua/_plans.lua |
 * | `batches`, `live`, `intact`, `expiry`, `holds:*` | | lua/_leases.lua |
 * | `wholeAt:*`, `wholeIds:*`, `wholeResults:*` | hash | lua/_whole.lua |
 * | `starts:*`, `used:*` | | lua/_rates.lua |
 * | `left:*` | hash | lua/prune.lua |
 * | `workers`, `locks`, `ageing`, `scans` | hash | lua/_crew.lua, lock.lua, sweep.lua, prune.lua |
 * | `aside`, `aside:*`, `asideEnds` | hash, list | lua/_aside.lua |
 * | `hints:ask`, `hints:tell` | channel | who it was, a space, and a text (store/talk.ts) |
 * | `hints`, `hints:settled` | channel | letters of topics, a space, and who it was (notifier.ts) |
 */
export function baseOf(prefix: string): string {
  return `{${prefix}}:`;
}
