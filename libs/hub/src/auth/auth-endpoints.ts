import { AuthEndpoint, type AuthEndpointSettings, type AuthEndpointWatch } from './auth-endpoint.js';

/** Tenants can be many, and change their endpoints. */
const MAX_ENDPOINTS = 1_024;

/** Authorization endpoints by URL, each for itself: one that is broken denies nobody else's clients. */
export class AuthEndpoints {
  /** The least recently used first. */
  private readonly byUrl = new Map<string, AuthEndpoint>();

  constructor(
    private readonly settings: AuthEndpointSettings,
    private readonly watch: AuthEndpointWatch,
    private readonly maxEndpoints = MAX_ENDPOINTS,
  ) {}

  /** The endpoint at `url`. Undefined when there are too many and requests are under way to all of them. */
  get(url: string): AuthEndpoint | undefined {
    const known = this.byUrl.get(url);
    if (known === undefined && !this.hasRoom()) return undefined;
    const endpoint = known ?? new AuthEndpoint(url, this.settings, this.watch);
    this.byUrl.delete(url);
    this.byUrl.set(url, endpoint);
    return endpoint;
  }

  close(): void {
    for (const endpoint of this.byUrl.values()) endpoint.close();
    this.byUrl.clear();
  }

  /** Makes some if it must. */
  private hasRoom(): boolean {
    if (this.byUrl.size < this.maxEndpoints) return true;
    for (const [url, endpoint] of this.byUrl) {
      if (!endpoint.isIdle) continue;
      this.byUrl.delete(url);
      endpoint.close();
      return true;
    }
    return false;
  }
}
