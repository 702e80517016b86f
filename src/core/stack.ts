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
  return NODE.test(line) || OWN.some((place) => line.includes(place));
}

/** Where this package's code is, as URLs and as paths: the sources too, since source maps lead there. None where that is not known. */
const OWN = ownPlaces(import.meta.url);

function ownPlaces(here: string): readonly string[] {
  const root =
    /^(file:\/\/.*\/)src\/core\/stack\.ts$/.exec(here) ?? /^(file:\/\/.*\/longshore\/)dist\//.exec(here);
  if (root === null) return [];
  const places = ['src/', 'dist/'].map((folder) => `${root[1]}${folder}`);
  return [...places, ...places.map((url) => decodeURI(url.slice('file://'.length)))];
}
