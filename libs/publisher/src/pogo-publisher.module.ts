import { Module, type DynamicModule, type InjectionToken, type ModuleMetadata, type Provider } from '@nestjs/common';
import { PogoPublisher } from './pogo-publisher.js';
import { POGO_PUBLISHER_OPTIONS, type PogoPublisherOptions } from './publisher-options.js';

export interface PogoPublisherAsyncOptions {
  readonly imports?: ModuleMetadata['imports'];
  readonly inject?: InjectionToken[];
  readonly useFactory: (...dependencies: never[]) => PogoPublisherOptions | Promise<PogoPublisherOptions>;
}

/** Gives a Nest service an injectable {@link PogoPublisher}. */
@Module({})
export class PogoPublisherModule {
  static forRoot(options: PogoPublisherOptions): DynamicModule {
    return compose({ provide: POGO_PUBLISHER_OPTIONS, useValue: options });
  }

  /** As {@link forRoot}, with options that other providers make. */
  static forRootAsync({ imports = [], inject = [], useFactory }: PogoPublisherAsyncOptions): DynamicModule {
    return compose({ provide: POGO_PUBLISHER_OPTIONS, inject, useFactory }, imports);
  }
}

function compose(options: Provider, imports: NonNullable<ModuleMetadata['imports']> = []): DynamicModule {
  return { module: PogoPublisherModule, imports, providers: [options, PogoPublisher], exports: [PogoPublisher] };
}
