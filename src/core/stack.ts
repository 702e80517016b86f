/**
 * Stacks as their readers want them: without the frames of Node itself and of this package, which say nothing of where a
 * handler went wrong. A package that somebody bundled into a file of their own has no frames of its own to tell apart.
 */
export function withoutOwnFrames(stack: string): string {
  return stack
    .split('\n')
    .filter((line) => !FRAME.test(line) || !isOwn(line))
    .join('\n');
}

const FRAME = /^\s+at /;
const NODE = /^\s+at (?:.* \()?node:/;

function isOwn(line: string): boolean {
  own ??= ownPlaces();
  return NODE.test(line) || own.some((place) => line.includes(place));
}

let own: readonly string[] | null = null;

/** Where this package's code is, as URLs and as paths: the sources too, since source maps lead there. None where that is not known. */
function ownPlaces(): readonly string[] {
  try {
    // The build knows the URL of a module as a last argument alone.
    const here = new URL('', import.meta.url).href;
    const root = new URL('../../', here).href;
    if (!here.endsWith('.ts') && !root.endsWith('/longshore/')) return [];
    const places = [`${root}src/`, `${root}dist/`];
    return [...places, ...places.map((url) => decodeURI(url.slice('file://'.length)))];
  } catch {
    // In a bundle that is no module there is no such URL.
    return [];
  }
}
