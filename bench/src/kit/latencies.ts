import { Durations } from '../histogram.ts';

/** Histograms of several processes as one, and its figures by name: `<name>.p50` and so on. None where nothing was recorded. */
export function latencyFigures(
  name: string,
  encoded: readonly string[],
): { readonly figures: Record<string, number>; readonly histograms: Record<string, string> } {
  const all = new Durations();
  for (const one of encoded) all.add(one);
  return latencyOf(name, all);
}

export function latencyOf(
  name: string,
  durations: Durations,
): { readonly figures: Record<string, number>; readonly histograms: Record<string, string> } {
  const { samples, weak, ...values } = durations.summary();
  if (samples === 0) return { figures: {}, histograms: {} };
  // A percentile that fewer than ten samples are beyond is no measurement of the tail.
  const kept = Object.entries(values).filter(([percentile]) => !weak.includes(percentile));
  return {
    figures: Object.fromEntries(kept.map(([percentile, value]) => [`${name}.${percentile}`, value])),
    histograms: { [name]: durations.encoded() },
  };
}
