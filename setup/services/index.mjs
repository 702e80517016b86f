/**
 * Real servers for tests, benches and development: each has a port and a data folder of its own, listens on 127.0.0.1
 * only, and ends with the process that started it, however that process ends (see watchdog.mjs).
 *
 * A server that is given back may be killed, paused and restarted; `stop` ends it and deletes its data. Whoever
 * forgets `stop` keeps the process alive, which fails a test file; `unref` is for servers that last as long as the
 * process. Everything here runs on Node 20 with nothing installed.
 */

export { startAlertmanager } from './alertmanager.mjs';
export { startJaeger } from './jaeger.mjs';
export { startOperaton } from './operaton.mjs';
export { startPostgres } from './postgres.mjs';
export { startPrometheus } from './prometheus.mjs';
export { startRedis } from './redis.mjs';
export { startTemporal } from './temporal.mjs';
