/** The kind of plans that are schedules. */
export const SCHEDULE_KIND = 'schedule';
