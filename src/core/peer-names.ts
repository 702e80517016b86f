/**
 * What other job systems call our options (BullMQ, pg-boss, graphile-worker, Celery, Sidekiq, DBOS, Temporal), so that a
 * name brought along from one of them is answered with ours.
 */
export interface Peer {
  /** Where the call at hand has an option of this name; null: no call has one, and the note says what there is. */
  readonly ours: string | null;
  readonly note: string | null;
}

/** In the order to try. `plain` comes from plainName. */
export function peersOf(plain: string): readonly Peer[] {
  table ??= peers();
  return table.get(plain) ?? [];
}

/** `max_attempts`, `maxAttempts` and `max-attempts` are one name; so are `delay`, `delayMs` and `delayInSeconds`. */
export function plainName(name: string): string {
  const letters = name.toLowerCase().replace(/[^a-z0-9]/g, '');
  return letters.replace(/(?<=...)(?:in)?(?:ms|millis|milliseconds|secs|seconds)$/, '');
}

/** Ours, theirs, and what is to be said beside. */
const NAMES: readonly (readonly [ours: string, theirs: string, note?: string])[] = [
  [
    'attempts',
    'retries retry retryLimit maxRetries maxAttempts maximumAttempts maxTries tries retryPolicy retryCount',
    'It counts the first run: with 1 there is no retry.',
  ],
  ['delayMs', 'countdown startDelay startIn performIn in'],
  ['at', 'startAfter runAt eta startAt scheduledAt scheduledFor scheduleFor performAt notBefore dueAt'],
  [
    'unique',
    'singletonKey singletonSeconds singletonNextSlot jobKey jobKeyMode deduplication deduplicationId dedupe dedupeKey idempotencyKey uniqueKey uniqueFor uniqueUntil debounce throttle',
    'It is an object: { key, mode, periodMs }.',
  ],
  ['key', 'group groupId groupKey partitionKey queuePartitionKey concurrencyKey shardKey'],
  ['queue', 'queueName taskQueue routingKey'],
  ['queues', 'queue queueName queueNames taskQueue'],
  ['priority', 'prio importance', 'Lower runs first.'],
  ['backoff', 'retryDelay retryBackoff backoffStrategy retryStrategy defaultRetryDelay sidekiqRetryIn'],
  [
    'timeoutMs',
    'timeLimit softTimeLimit expireInSeconds expireInMinutes expireInHours startToCloseTimeout scheduleToCloseTimeout jobTimeout ttr',
  ],
  ['heartbeatTimeoutMs', 'heartbeat heartbeatInterval'],
  ['run', 'handler process processor perform execute fn func work callback'],
  ['input', 'schema data payload args params inputSchema'],
  ['name', 'task taskName jobName type workflowName'],
  ['module', 'file path filename taskDirectory'],
  ['strategy', 'lane sandbox sandboxed useWorkerThreads'],
  [
    'concurrency',
    'teamSize teamConcurrency localConcurrency globalConcurrency workerConcurrency concurrentJobs maxConcurrent maxConcurrency maxConcurrentActivityTaskExecutions parallelism parallel slots batchSize max',
  ],
  ['tasks', 'task taskList handlers jobs processors activities workflows'],
  ['pollMs', 'pollInterval pollingInterval newJobCheckInterval drainDelay fetchInterval'],
  ['leaseMs', 'lockDuration lockRenewTime visibilityTimeout stalledInterval lockTimeout'],
  ['crashesMax', 'maxStalledCount'],
  ['prefetchMax', 'prefetch prefetchMultiplier prefetchCount'],
  ['graceMs', 'gracePeriod shutdownGraceTime shutdownTimeout gracefulShutdownAbortTimeout'],
  ['rate', 'limiter rateLimit rateLimiter', 'It is an object: { count, perMs }.'],
  ['count', 'max limit amount'],
  ['perMs', 'duration period interval window'],
  ['ageMs', 'ttl keepFor maxAge'],
  ['periodMs', 'ttl window duration'],
  ['everyMs', 'interval period'],
  ['state', 'status states statuses types'],
  ['task', 'name jobName taskName taskIdentifier'],
  ['limit', 'count pageSize perPage max take'],
  ['cursor', 'offset after page start skip'],
  ['by', 'who user actor'],
  ['why', 'reason comment note'],
  ['signal', 'abortSignal abort controller'],
  ['payloadBytesMax', 'sizeLimit maxPayload payloadLimit'],
  ['client', 'pool pgPool db connection redis'],
  ['store', 'url connectionString database db redis connection broker brokerUrl'],
  ['tx', 'transaction trx client db connection'],
  ['job.completed', 'complete success succeeded done finished jobComplete jobSuccess jobSucceeded'],
  ['job.failed', 'error failure dead jobError jobFailure', 'An attempt that runs again is job.retried.'],
  ['job.retried', 'retry retrying retries jobRetry'],
  ['job.started', 'active start running processing jobStart jobActive'],
  ['job.enqueued', 'waiting added enqueue created queued jobAdded jobCreated'],
  ['job.expired', 'stalled jobStalled'],
  ['store.failed', 'storeError connectionError poolError'],
];

/** Theirs without an option of ours, and what there is instead. */
const ELSEWHERE: readonly (readonly [theirs: string, note: string])[] = [
  [
    'removeOnComplete removeOnFail keepUntil keepJobs keepLogs retentionSeconds retention resultTtl resultExpires expires deleteAfter archiveCompletedAfter',
    'how long ended jobs are kept is a setting of their queue: queues.setRetention(queue, …).',
  ],
  ['jobId id taskId workflowId customId jid', 'ids are made here; unique: { key } makes equal jobs one job.'],
  [
    'repeat cron schedule every pattern crontab',
    'what starts jobs at set times is a schedule: schedules.set().',
  ],
  [
    'deadLetter deadLetterQueue onFail dead',
    'a job without attempts left stays as a dead letter: jobs.list({ state: "failed" }), jobs.redrive.',
  ],
  ['lifo', 'a lower priority is what runs first.'],
  ['parent children dependsOn dependencies flow', 'steps that follow each other are a flow: defineFlow().'],
];

/** Made at the first misspelt name. */
let table: ReadonlyMap<string, readonly Peer[]> | null = null;

/** One name means different things in different calls: each call takes the first of ours that it has. */
function peers(): ReadonlyMap<string, readonly Peer[]> {
  const found = new Map<string, Peer[]>();
  const add = (theirs: string, peer: Peer): void => {
    for (const name of theirs.split(' ')) {
      const plain = plainName(name);
      found.set(plain, [...(found.get(plain) ?? []), peer]);
    }
  };
  for (const [ours, theirs, note = null] of NAMES) add(theirs, { ours, note });
  for (const [theirs, note] of ELSEWHERE) add(theirs, { ours: null, note });
  return found;
}
