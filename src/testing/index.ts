/**
 * Public helpers for tests of programs and stores that use Longshore (`longshore/testing`).
 * Nothing else in the package imports this folder.
 */
export { FakeClock } from './fake-clock.ts';
