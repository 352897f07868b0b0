/**
 * What follows `prefix` in a URL or path, with its leading slash; undefined for what is not below it. The one place that
 * knows what "under the prefix" means.
 * @param prefix "" or "/path" without a trailing slash.
 */
export function belowPrefix(url: string, prefix: string): string | undefined {
  return url.startsWith(prefix) && url.charAt(prefix.length) === '/' ? url.slice(prefix.length) : undefined;
}
