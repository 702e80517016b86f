import type { ComponentType } from 'preact';
import { Empty, Screen } from './parts.tsx';
import type { Route } from './route.ts';
import { JobScreen } from './screens/job.tsx';
import { JobsScreen } from './screens/jobs.tsx';
import { OverviewScreen } from './screens/overview.tsx';

/** Which screen an address names. `key` goes there after `g`. */
export const PLACES = [
  { name: 'overview', label: 'Overview', key: 'o' },
  { name: 'jobs', label: 'Jobs', key: 'j' },
] as const;

type ScreenOf = ComponentType<{ route: Route }>;

const LISTS: Readonly<Record<string, ScreenOf>> = {
  overview: OverviewScreen,
  jobs: JobsScreen,
};

const SINGLE: Readonly<Record<string, ScreenOf>> = {
  jobs: JobScreen,
};

export function screenOf([place = 'overview', id]: readonly string[]): ScreenOf {
  const found = id === undefined ? LISTS : SINGLE;
  return Object.hasOwn(found, place) ? (found[place] as ScreenOf) : Unknown;
}

function Unknown() {
  return (
    <Screen title="Nothing here">
      <Empty>This address names no screen.</Empty>
    </Screen>
  );
}
