import { stat } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { AppProvider, ConfigAppProvider, errorText, type App } from '@pogo/hub';
import { isOfApps } from './config/app-entries.js';
import { stampOf } from './config/config-file.js';
import { GATEWAY_CONFIG, type GatewayConfig } from './config/gateway-config.js';
import { ConfigError } from './config/load-config.js';

/** Looking at the file's date, not waiting for the system to tell: that works through links and on any file system. */
const LOOK_INTERVAL_MS = 1_000;

type Source = NonNullable<GatewayConfig['source']>;
type Settings = Source['settings'];

/**
 * Reads the apps of the configuration file again, when it changes and on SIGHUP. Connections stay; those of an app that
 * is gone or disabled are closed (4001, 4003). A file with a mistake changes nothing.
 */
@Injectable()
export class AppReload implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('Configuration');
  private apps: readonly App[];
  private settings: Settings | undefined;
  /** Of the file as it was read, and as it was when it was last looked at. */
  private stamps: { read: string | undefined; seen?: string | undefined };
  private timer: NodeJS.Timeout | undefined;
  private listener: (apps: readonly App[]) => void = () => undefined;

  constructor(
    @Inject(GATEWAY_CONFIG) private readonly config: GatewayConfig,
    private readonly provider: AppProvider,
  ) {
    const { apps, source } = config;
    this.apps = apps;
    this.settings = source?.settings;
    this.stamps = { read: source?.stamp };
  }

  onApplicationBootstrap(): void {
    const { source } = this.config;
    // What is no file, such as a pipe, has nothing to say a second time.
    if (source?.stamp !== undefined) this.lookLater(source);
  }

  onApplicationShutdown(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** Calls `listener` with new apps before they are in force: what must not be logged may be among them. */
  onReload(listener: (apps: readonly App[]) => void): void {
    this.listener = listener;
  }

  /** Reads the file now. False when there is none, or it has a mistake, which is logged. */
  reload(): boolean {
    const { source, maxClientMessageBytes } = this.config;
    if (source === undefined || !(this.provider instanceof ConfigAppProvider)) return false;
    const loaded = this.read();
    if (loaded === undefined) return false;
    const { config, settings } = loaded;
    this.stamps.read = config.source?.stamp;
    this.sayWhatWaits(settings);
    // An app that was made up for development would be another one each time.
    if (config.isDevelopmentApp) {
      this.logger.warn(`${source.path} names no app any more: the apps stay as they are`);
      return false;
    }
    const before = new Map(this.apps.map((app) => [app.id, app]));
    this.listener(config.apps);
    this.provider.replace(config.apps);
    this.apps = config.apps;
    const added = config.apps.filter(({ id }) => !before.has(id)).length;
    const removed = before.size - (config.apps.length - added);
    const changed = config.apps.filter(
      (app) => before.has(app.id) && !isDeepStrictEqual(before.get(app.id), app),
    ).length;
    this.logger.log(`apps of ${source.path}: ${added} new, ${removed} removed, ${changed} changed`);
    if (config.maxClientMessageBytes > maxClientMessageBytes) {
      this.logger.warn(
        'an app allows larger events than any did at the start: clients can send them after the next start',
      );
    }
    return true;
  }

  private lookLater(source: Source): void {
    this.timer = setTimeout(() => void this.look(source), LOOK_INTERVAL_MS).unref();
  }

  /**
   * Compares with what was read, so that a change during the start counts. Reads what has been the same for two looks: half
   * a file may be valid, and would take the clients of the other half's apps away for good.
   */
  private async look(source: Source): Promise<void> {
    const { stamps } = this;
    // Somebody who replaces a file may take it away first.
    const now = await stat(source.path).then(stampOf, () => undefined);
    if (this.timer === undefined) return;
    if (now !== undefined && now === stamps.seen && now !== stamps.read) {
      // One with a mistake is told of once.
      stamps.read = now;
      this.reload();
    }
    stamps.seen = now;
    this.lookLater(source);
  }

  private read(): ReturnType<Source['read']> | undefined {
    try {
      return this.config.source?.read();
    } catch (error) {
      const why = error instanceof ConfigError ? error.problems.join('; ') : errorText(error);
      this.logger.error(`the apps stay as they are: ${why}`);
      return undefined;
    }
  }

  /** Settings that apps do not have are read once. */
  private sayWhatWaits(settings: Settings): void {
    const { settings: old } = this;
    if (old === undefined) return;
    const changed = (Object.keys({ ...old, ...settings }) as (keyof Settings)[]).filter(
      (key) => !isOfApps(key) && !isDeepStrictEqual(old[key], settings[key]),
    );
    if (changed.length > 0) this.logger.warn(`${changed.join(', ')}: in force after the next start`);
    this.settings = settings;
  }
}
