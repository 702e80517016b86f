/**
 * A store's URL as it may be shown, also one that cannot be read: whatever stands where a password may stand is hidden. A
 * user's name is shown only where the URL is written as it should be.
 */
export function withoutPassword(url: string): string {
  const shown = url.replace(SECRET_PAIRS, '$1***');
  if (shown.includes('@')) {
    const whole = /^([a-z][a-z0-9+]*:\/\/[^:/?#@\s]+):.*@/is;
    return whole.test(shown) ? shown.replace(whole, '$1:***@') : shown.replace(UP_TO_HOST, '$1***@');
  }
  return shown.replace(NO_PORT, '$1:***');
}

/** As `?password=…` of a URL, or `password=…` of other forms. */
const SECRET_PAIRS = /((?:^|[?&;\s])[\w.-]*(?:pass|pwd|secret|token|auth)[\w.-]*\s*=\s*)[^&;\s]*/gi;

/** Without `//`, what ends with a colon is a kind of store only if it is one. */
const UP_TO_HOST = /^((?:(?:postgres(?:ql)?|rediss?|valkeys?):(?:\/\/)?|[a-z][a-z0-9+]*:\/\/)?).*@/is;

/** `//user:password` whose host was forgotten: what follows the colon is no port. */
const NO_PORT =
  /^((?:(?:postgres(?:ql)?|rediss?|valkeys?):|[a-z0-9+]*:?\/\/)[^:/?#[\]\s]*):(?!\d{1,5}(?:[/?#,]|$)).*/is;
