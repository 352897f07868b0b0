import { Injectable } from '@nestjs/common';

interface Route {
  readonly pattern: RegExp;
  readonly methods: Set<string>;
}

/** The routes that exist, to tell "no such route" from "not with this method". */
@Injectable()
export class KnownRoutes {
  private readonly routes = new Map<string, Route>();

  /** @param url as Fastify writes it: `/apps/:appId/events`. */
  add(methods: string | readonly string[], url: string): void {
    let route = this.routes.get(url);
    if (route === undefined) {
      const pattern = new RegExp(`^${url.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/:[A-Za-z]+/g, '[^/]+')}/?$`);
      this.routes.set(url, (route = { pattern, methods: new Set() }));
    }
    for (const method of [methods].flat()) route.methods.add(method);
  }

  /** Methods that `path` takes; none when there is no such route. */
  methodsOf(path: string): string[] {
    const methods = new Set<string>();
    for (const route of this.routes.values()) {
      if (route.pattern.test(path)) for (const method of route.methods) methods.add(method);
    }
    return [...methods].sort();
  }
}
