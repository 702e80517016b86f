import type { Command } from 'commander';
import type { Ageing } from '../../core/ageing.ts';
import type { LimitsChange, Rate } from '../../core/limits.ts';
import { type Call, type CliCommand, examples } from '../command.ts';
import { ageing, countOrNone, limitsText, rate } from '../limits-text.ts';
import { withStore } from '../session.ts';
import { printable } from '../text.ts';
import { whoAmI } from '../who.ts';

interface Options {
  readonly concurrency?: number | 'none';
  readonly rate?: Rate | 'none';
  readonly perKey?: number | 'none';
  readonly perKeyRate?: Rate | 'none';
  readonly ordered?: boolean;
  readonly ageing?: Ageing | 'none';
}

export const limit: CliCommand<Options> = { define, run };

function define(command: Command): void {
  command
    .argument('<queue>', 'name of a queue')
    .option('--concurrency <n>', 'jobs that run at a time; none lifts it', countOrNone('--concurrency'))
    .option('--rate <n/time>', 'jobs that start in any such time, e.g. 100/1s; none lifts it', rate('--rate'))
    .option('--per-key <n>', 'jobs of one key that run at a time; none lifts it', countOrNone('--per-key'))
    .option(
      '--per-key-rate <n/time>',
      'jobs of one key that start in any such time; none lifts it',
      rate('--per-key-rate'),
    )
    .option('--ordered', 'jobs of one key run one at a time, in order, retries included')
    .option('--no-ordered', 'jobs of one key may overtake each other')
    .option(
      '--ageing <time/floor>',
      'lower the priority of jobs by 1 for every such time they wait, down to the floor, e.g. 30s/-10; none ends it',
      ageing('--ageing'),
    );
  examples(
    command,
    'longshore limit mail --concurrency 20 --rate 100/1s',
    'longshore limit ledger --ordered',
    'longshore limit mail --rate none',
    'longshore limit mail --ageing 30s/-10',
  );
}

/** Without options it only shows what holds. */
async function run({ args, options, out }: Call<Options>): Promise<number> {
  const [name = ''] = args;
  const settings = await withStore(options, async ({ longshore: { queues, audit } }) => {
    const change = changeOf(options);
    const limited = await queues.setLimits(name, change);
    const { ageing } = options;
    const changed = ageing === undefined ? limited : await queues.setAgeing(name, lifted(ageing));
    const given = { ...change, ...(ageing === undefined ? {} : { ageing: lifted(ageing) }) };
    if (Object.keys(given).length > 0)
      await audit.record({ by: whoAmI(), action: 'setQueueLimits', target: name, details: { given } });
    return changed;
  });
  const { limits, ageing } = settings;
  if (out.json) out.document({ queue: name, limits, ageing });
  else out.print(`${printable(name)}: ${limitsText(settings) || 'no limits'}`);
  return 0;
}

function changeOf({ concurrency, rate, perKey, perKeyRate, ordered }: Options): LimitsChange {
  const ofKeys = {
    ...(perKey === undefined ? {} : { concurrency: lifted(perKey) }),
    ...(perKeyRate === undefined ? {} : { rate: lifted(perKeyRate) }),
    ...(ordered === undefined ? {} : { ordered }),
  };
  return {
    ...(concurrency === undefined ? {} : { concurrency: lifted(concurrency) }),
    ...(rate === undefined ? {} : { rate: lifted(rate) }),
    ...(Object.keys(ofKeys).length === 0 ? {} : { perKey: ofKeys }),
  };
}

/** The parser of options has no value for null. */
function lifted<T>(value: T | 'none'): T | null {
  return value === 'none' ? null : value;
}
