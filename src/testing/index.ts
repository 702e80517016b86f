/**
 * Public helpers for tests of programs and stores that use Longshore (`longshore/testing`).
 * Nothing else in the package imports this folder.
 */
export { FakeClock } from './fake-clock.ts';
export { FakeSensor } from './fake-sensor.ts';
export {
  type JobMoment,
  type JobSpy,
  type JobSpyOptions,
  jobSpy,
  type SeenJob,
  type SpiedConnection,
  type WantedJob,
} from './job-spy.ts';
export type { FixtureTransaction, OpenFixture, StoreFixture } from './store-conformance/fixture.ts';
export {
  type ConformanceOptions,
  storeConformance,
  type TestContext,
  type TestFunction,
} from './store-conformance/index.ts';
export type { FastCheck } from './store-conformance/model.ts';
