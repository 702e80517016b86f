/** Figures and sentences as people read them. */
export function rateText(perSecond: number): string {
  if (perSecond >= 100) return Math.round(perSecond).toLocaleString('en-US');
  return String(Number(perSecond.toPrecision(3)));
}

/** `0.04 ms`, `19.8 ms`, `1.2 s`. */
export function msText(ms: number | null): string {
  if (ms === null || Number.isNaN(ms)) return '-';
  if (ms >= 10_000) return `${(ms / 1_000).toFixed(0)} s`;
  if (ms >= 1_000) return `${(ms / 1_000).toFixed(1)} s`;
  return `${Number(ms.toPrecision(ms < 1 ? 2 : 3))} ms`;
}

export function percentText(share: number): string {
  return `${Math.round(share * 100)} %`;
}
