import { Controller } from '@nestjs/common';
import { EventPattern, Payload, Transport } from '@nestjs/microservices';
import { CommandBus } from './command-bus.js';
import { COMMAND_PATTERN, RedisCommandBus } from './redis-command-bus.js';

/** Hears what nodes tell each other, over Redis alone: nobody signs it. Without Redis nothing ever calls it. */
@Controller()
export class RedisCommandController {
  constructor(private readonly bus: CommandBus) {}

  @EventPattern(COMMAND_PATTERN, Transport.REDIS)
  handle(@Payload() command: unknown): void {
    if (this.bus instanceof RedisCommandBus) this.bus.receive(command);
  }
}
