import { Durations } from '../histogram.ts';
import { round } from '../spread.ts';
import { inTeam } from './staff.ts';
import type { Team } from './team.ts';
import type { Trial, TrialSettings } from './trial.ts';

/**
 * The largest rate that a system keeps up with: doubled until it does not, then halved in between. It keeps up where all jobs
 * of a few seconds have run shortly after the last was sent, were sent in time, and 95 % of them began within `limitMs`.
 */
export const sustainableRate: Trial = (settings, context) => {
  const most = settings.number('mostPerSecond', 20_000);
  const seconds = settings.number('seconds', 3);
  // Doubling sends at most twice the last step, and each bisection less than that.
  const room = Math.ceil(most * seconds * (2 + BISECTIONS));
  return inTeam(
    settings,
    context,
    async ({ team, name }) => {
      await team.warmUp(settings.number('warmup', 2_000), 500);
      await team.callWorkers('work');
      const search = new Search(team, settings, seconds);
      const rate = await search.run(settings.number('rate', 200), most);
      await team.call(team.sender, 'settled');
      await team.report(name, search.sent, context.sabotage);
      return {
        figures: { sustainablePerSecond: round(rate), stepCount: search.steps.length },
        details: { steps: search.steps },
      };
    },
    { jobs: room },
  );
};

const BISECTIONS = 3;

interface Step {
  readonly perSecond: number;
  readonly kept: boolean;
  readonly p95Ms: number;
  readonly backlogMs: number;
}

class Search {
  readonly #team: Team;
  readonly #seconds: number;
  readonly #limitMs: number;
  readonly steps: Step[] = [];
  sent = 0;

  constructor(team: Team, settings: TrialSettings, seconds: number) {
    this.#team = team;
    this.#seconds = seconds;
    this.#limitMs = settings.number('limitMs', 250);
  }

  /** The largest rate that was kept; 0 where not even the first was. */
  async run(first: number, most: number): Promise<number> {
    let [kept, missed] = [0, Number.POSITIVE_INFINITY];
    for (let rate = first; rate <= most; rate *= 2) {
      if (!(await this.#keepsUp(rate))) {
        missed = rate;
        break;
      }
      kept = rate;
    }
    for (let step = 0; step < BISECTIONS && Number.isFinite(missed); step += 1) {
      const middle = Math.round((kept + missed) / 2);
      if (await this.#keepsUp(middle)) kept = middle;
      else missed = middle;
    }
    return kept;
  }

  async #keepsUp(rate: number): Promise<boolean> {
    const count = Math.max(1, Math.round(rate * this.#seconds));
    await this.#team.callWorkers('lap');
    const sent = await this.#team.call(this.#team.sender, 'pace', { rate, count, from: this.sent });
    this.sent += count;
    const sentAt = await this.#team.call(this.#team.sender, 'time');
    await this.#team.allRan(this.sent);
    const backlogMs = (await this.#team.call(this.#team.sender, 'time')) - sentAt;
    const pickup = new Durations();
    for (const lap of await this.#team.callWorkers('lap')) pickup.add(lap);
    const { p95 } = pickup.summary();
    const late = new Durations().add(sent.late).summary();
    const kept = p95 <= this.#limitMs && backlogMs <= 2 * this.#limitMs && late.p95 <= this.#limitMs;
    this.steps.push({ perSecond: rate, kept, p95Ms: p95, backlogMs: round(backlogMs) });
    return kept;
  }
}
