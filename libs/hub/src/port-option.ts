import type { InjectionToken, Provider, Type } from '@nestjs/common';

/** An implementation of a port: a class that is injected like any other, or what a Nest provider says without `provide`. */
export type PortOption<Port> =
  | Type<Port>
  | { readonly useClass: Type<Port> }
  | { readonly useValue: Port }
  | { readonly useExisting: InjectionToken<Port> }
  | {
      readonly useFactory: (...dependencies: never[]) => Port | Promise<Port>;
      readonly inject?: readonly InjectionToken[];
    };

/** A provider with its token in sight. */
export type TokenProvider = Exclude<Provider, Type>;

/** The provider of `token`. */
export function portProvider<Port>(token: InjectionToken, option: PortOption<Port>): TokenProvider {
  const rest = typeof option === 'function' ? { useClass: option } : option;
  return { provide: token, ...rest } as TokenProvider;
}
