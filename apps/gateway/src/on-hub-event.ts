import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { errorText, HubEvents, LogPause, type HubEventMap, type HubEventName } from '@pogo/hub';

const HUB_EVENTS = Symbol('hub events');

type Handler<Name extends HubEventName> = (event: HubEventMap[Name]) => unknown;

/**
 * Calls a method of a provider or controller for each event of the hub: `@OnHubEvent('memberAdded')`. It is called in the
 * turn in which the event happened, on the node that caused it; what it throws or rejects with is logged. Repeat it for
 * several events. Providers that are made per request are not called.
 */
export function OnHubEvent<Name extends HubEventName>(name: Name) {
  return <Method extends Handler<Name>>(
    _target: object,
    _key: string | symbol,
    { value }: TypedPropertyDescriptor<Method>,
  ): void => {
    const names = (Reflect.getMetadata(HUB_EVENTS, value as object) ?? []) as HubEventName[];
    Reflect.defineMetadata(HUB_EVENTS, [...names, name], value as object);
  };
}

/** Finds the methods with {@link OnHubEvent} when all providers are there, and binds them. */
@Injectable()
export class HubEventHandlers implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('OnHubEvent');
  private readonly unbind: (() => void)[] = [];

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly methods: MetadataScanner,
    private readonly events: HubEvents,
  ) {}

  onApplicationBootstrap(): void {
    const seen = new Set<object>();
    for (const wrapper of [...this.discovery.getProviders(), ...this.discovery.getControllers()]) {
      for (const instance of instancesOf(wrapper)) {
        // `useExisting` shows the same object under another token.
        if (typeof instance !== 'object' || instance === null || seen.has(instance)) continue;
        seen.add(instance);
        this.bindMethodsOf(instance as Record<string, unknown>);
      }
    }
  }

  onApplicationShutdown(): void {
    for (const unbind of this.unbind) unbind();
  }

  private bindMethodsOf(instance: Record<string, unknown>): void {
    const prototype = Object.getPrototypeOf(instance) as object | null;
    for (const key of prototype === null ? [] : this.methods.getAllMethodNames(prototype)) {
      const method = instance[key];
      if (!isMethod(method)) continue;
      const names = (Reflect.getMetadata(HUB_EVENTS, method) ?? []) as HubEventName[];
      const pause = new LogPause();
      for (const name of names)
        this.unbind.push(this.events.on(name, (event) => this.call(instance, key, method, event, pause)));
    }
  }

  /** The hub logs what is thrown; a promise's failure would end the process. Clients may cause it as often as they like. */
  private call(
    instance: object,
    key: string,
    method: (event: unknown) => unknown,
    event: unknown,
    pause: LogPause,
  ): void {
    const result: unknown = Reflect.apply(method, instance, [event]);
    if (!isThenable(result)) return;
    Promise.resolve(result).catch((error: unknown) => {
      if (pause.isOver()) this.logger.error(`${instance.constructor.name}.${key} rejected`, errorText(error));
    });
  }
}

/** A transient provider has an instance for each that it is injected into, and one that was never constructed. */
function instancesOf(wrapper: ReturnType<DiscoveryService['getProviders']>[number]): unknown[] {
  if (wrapper.isTransient) return wrapper.getStaticTransientInstances().map((host) => host?.instance as unknown);
  return wrapper.isDependencyTreeStatic() ? [wrapper.instance] : [];
}

function isMethod(value: unknown): value is (event: unknown) => unknown {
  return typeof value === 'function';
}

/** Not every library's promises are of the class Promise. */
function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === 'function';
}
