import { useEffect, useState } from 'preact/hooks';

/** As the system says, until one is chosen here; kept for this browser. */
const CHOICES = ['auto', 'light', 'dark'] as const;
type Choice = (typeof CHOICES)[number];
const KEY = 'longshore.theme';

export function ThemeSwitch() {
  const [choice, setChoice] = useState<Choice>(() => kept());
  useEffect(() => {
    if (choice === 'auto') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = choice;
    localStorage.setItem(KEY, choice);
  }, [choice]);
  return (
    <label class="theme">
      <span class="unseen">Colours</span>
      <select value={choice} onChange={(event) => setChoice(event.currentTarget.value as Choice)}>
        {CHOICES.map((one) => (
          <option key={one} value={one}>
            {one}
          </option>
        ))}
      </select>
    </label>
  );
}

function kept(): Choice {
  const given = localStorage.getItem(KEY);
  return CHOICES.find((one) => one === given) ?? 'auto';
}
