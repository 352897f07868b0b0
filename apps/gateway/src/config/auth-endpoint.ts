/**
 * The URL of an authorization endpoint, or undefined when it is something else. Credentials in it would end up in logs;
 * the application is told who asks by the client's own headers.
 */
export function parseEndpoint(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const isHttp = url.protocol === 'http:' || url.protocol === 'https:';
  return isHttp && url.username === '' && url.password === '' && url.hash === '' ? url : undefined;
}

/** Where to ask: `path` is for an endpoint that has none of its own. */
export function endpointUrl(endpoint: URL, path: string): string {
  const hasPath = endpoint.pathname !== '/' || endpoint.search !== '';
  return hasPath ? endpoint.href : new URL(path, endpoint).href;
}
