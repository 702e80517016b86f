/**
 * What runs in the browser itself. JavaScript, since its names (`document`) are none of Node's.
 * What a person needs who sees little or nothing: a name for all that can be used, and contrast of 4.5 (WCAG 2, AA) for text.
 * @typedef {import('playwright-core').Page} Page
 */

/** Controls and links without a name. @param {Page} page @returns {Promise<string[]>} */
export function nameless(page) {
  return page.evaluate(() => {
    const controls = document.querySelectorAll('button, a[href], input, select, textarea, progress, meter');
    const nameOf = (control) => {
      const labels = [...(control.labels ?? [])].map(({ textContent }) => textContent);
      return [
        control.getAttribute('aria-label'),
        ...labels,
        control.matches('button, a') ? control.textContent : '',
      ]
        .join('')
        .trim();
    };
    return [...controls]
      .filter((control) => nameOf(control) === '')
      .map(({ outerHTML }) => outerHTML.slice(0, 120));
  });
}

/** Texts whose contrast to what is behind them is too low. @param {Page} page @returns {Promise<string[]>} */
export function contrasts(page) {
  return page.evaluate(() => {
    const canvas = document.createElement('canvas');
    canvas.width = 1;
    canvas.height = 1;
    const pixel = canvas.getContext('2d', { willReadFrequently: true });
    // Painted, so that any form of a colour is read, and one over another.
    const paint = (colours) => {
      pixel.clearRect(0, 0, 1, 1);
      for (const colour of colours) {
        pixel.fillStyle = colour;
        pixel.fillRect(0, 0, 1, 1);
      }
      return [...pixel.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const luminance = (rgb) => {
      const [r = 0, g = 0, b = 0] = rgb.map((value) => {
        const share = value / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (element) =>
      element === null ? [] : [...behind(element.parentElement), getComputedStyle(element).backgroundColor];
    const texts = [...document.querySelectorAll('body *')].filter(
      (element) =>
        element.checkVisibility() &&
        [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim()),
    );
    return texts.flatMap((element) => {
      const ground = behind(element);
      const [one, other] = [
        luminance(paint(ground)),
        luminance(paint([...ground, getComputedStyle(element).color])),
      ];
      const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
      return contrast < 4.5 ? [`${element.outerHTML.slice(0, 100)}: ${contrast.toFixed(2)}`] : [];
    });
  });
}

/** What must hold on each screen. @param {Page} page */
export function shape(page) {
  return page.evaluate(() => ({
    width: document.documentElement.scrollWidth,
    titles: document.querySelectorAll('h1').length,
    mains: document.querySelectorAll('main').length,
    faults: document.querySelectorAll('.fault').length,
  }));
}

/** @param {Page} page */
export function ground(page) {
  return page.evaluate(() => getComputedStyle(document.body).backgroundColor);
}
