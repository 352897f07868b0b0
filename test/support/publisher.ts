import { Module, type DynamicModule, type INestApplicationContext, type LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientTCP } from '@nestjs/microservices';
import { createCommandNonce, signCommand, type CommandPattern, type SignedCommand } from '@pogo/pusher-protocol';
import { PogoPublisher, PogoPublisherModule, type PogoPublisherOptions } from '@pogo/publisher';
import { lastValueFrom } from 'rxjs';

export const COMMAND_SECRET = 'test-command-secret';

@Module({})
class OtherService {
  static with(publisher: DynamicModule): DynamicModule {
    return { module: OtherService, imports: [publisher] };
  }
}

/** A Nest service beside the gateway that publishes through it. */
export class TestPublisher {
  private constructor(
    private readonly app: INestApplicationContext,
    readonly pogo: PogoPublisher,
  ) {}

  static start(options: PogoPublisherOptions, logger: LoggerService | false = false): Promise<TestPublisher> {
    return TestPublisher.startWith(PogoPublisherModule.forRoot(options), logger);
  }

  static async startWith(module: DynamicModule, logger: LoggerService | false = false): Promise<TestPublisher> {
    const options = { logger, abortOnError: false };
    const app = await NestFactory.createApplicationContext(OtherService.with(module), options);
    return new TestPublisher(app, app.get(PogoPublisher));
  }

  stop(): Promise<void> {
    return this.app.close();
  }
}

export interface SigningOverrides {
  readonly secret?: string;
  /** Seconds that the sender's clock is off. */
  readonly clockSkew?: number;
}

/** A command as somebody without the library signs it. */
export function signed(
  pattern: CommandPattern,
  fields: unknown,
  { secret = COMMAND_SECRET, clockSkew = 0 }: SigningOverrides = {},
): SignedCommand {
  const body = typeof fields === 'string' ? fields : JSON.stringify(fields);
  const timestamp = Math.floor(Date.now() / 1_000) + clockSkew;
  return signCommand(secret, pattern, { body, timestamp, nonce: createCommandNonce() });
}

/** The fields of a publish that is fine. */
export function publishFields(overrides: object = {}): object {
  return { app_id: '1', channel: 'orders', event: 'paid', data: '{"id":7}', ...overrides };
}

/** Somebody without the library: resolves to the answer, or to what it was refused with. */
export async function sendOverTcp(port: number, pattern: string, command: unknown): Promise<unknown> {
  const client = new ClientTCP({ port });
  try {
    return await lastValueFrom(client.send<unknown>(pattern, command as object));
  } catch (error) {
    return error;
  } finally {
    client.close();
  }
}
