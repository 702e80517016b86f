import { type TestContext, test } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';
import { onPath } from '../../setup/services/on-path.mjs';

/** One Chromium for a file of tests: the one of this machine. Without it the tests are skipped, with a line that says so. */
const VARIABLE = 'LONGSHORE_TEST_CHROMIUM';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export interface Look {
  /** Screen's width in CSS pixels; default 1280. */
  readonly width?: number;
  readonly colours?: 'light' | 'dark';
}

export interface Chromium {
  /** A fresh profile; closed with the test. Errors of the page, and whatever its policy forbids, fail the test. */
  page(t: TestContext, url: string, look?: Look): Promise<Page>;
  close(): Promise<void>;
}

function executable(): string | undefined {
  const given = process.env[VARIABLE] ?? '';
  return given === '' ? onPath('chromium', 'chromium-browser', 'google-chrome') : given;
}

export async function openChromium(): Promise<Chromium> {
  const executablePath = executable();
  if (executablePath === undefined) throw new Error(MISSING);
  const browser: Browser = await chromium.launch({ executablePath, args: FLAGS });
  return {
    async page(t, url, { width = 1280, colours = 'light' } = {}) {
      const context = await browser.newContext({
        viewport: { width, height: width < 500 ? 760 : 860 },
        colorScheme: colours,
        reducedMotion: 'reduce',
      });
      const faults: string[] = [];
      const page = await context.newPage();
      page.on('pageerror', (error) => faults.push(String(error.stack)));
      page.on('console', (message) => {
        if (/Content Security Policy/i.test(message.text())) faults.push(message.text());
      });
      t.after(async () => {
        await context.close();
        if (faults.length > 0) throw new Error(`The page had errors:\n${faults.join('\n')}`);
      });
      await page.goto(url);
      return page;
    },
    close: () => browser.close(),
  };
}

const MISSING = `there is no Chromium on the PATH: install one (apt-get install chromium), or name it in ${VARIABLE}`;

export function browserMissing(): string | undefined {
  return executable() === undefined ? MISSING : undefined;
}

/** A test that is skipped where there is no browser. */
export function browserTest(title: string, body: (t: TestContext) => Promise<void>): void {
  const missing = browserMissing();
  test(title, missing === undefined ? {} : { skip: missing }, body);
}
