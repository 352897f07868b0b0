import { Module, type DynamicModule } from '@nestjs/common';
import { GATEWAY_CONFIG, type GatewayConfig } from '../config/gateway-config.js';
import { CommandServer } from './command-server.js';
import { CommandFilter } from './command.filter.js';
import { CommandGuard } from './command.guard.js';
import { CommandsController } from './commands.controller.js';

/** Message patterns in. Over Redis they come with the broker, over TCP with a {@link CommandServer}. */
@Module({})
export class CommandsModule {
  /** @param imports modules that export the hub's services and the configuration. */
  static forRoot(imports: NonNullable<DynamicModule['imports']>): DynamicModule {
    return {
      module: CommandsModule,
      imports,
      controllers: [CommandsController],
      providers: [
        CommandGuard,
        CommandFilter,
        { provide: CommandServer, inject: [GATEWAY_CONFIG], useFactory: commandServer },
      ],
    };
  }
}

function commandServer({ commands, http }: GatewayConfig): CommandServer | undefined {
  const port = commands?.port;
  return port === undefined ? undefined : new CommandServer({ port, maxMessageLength: http.maxBodyBytes });
}
