import { applyDecorators, SetMetadata, UseFilters, UseGuards } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import type { CommandPattern } from '@pogo/pusher-protocol';
import { CommandFilter } from './command.filter.js';
import { CommandGuard } from './command.guard.js';
import { PATTERN } from './command-pattern.js';

/** A handler for signed commands: verified and taken by this node before it is called, errors as commands word them. */
export function Command(pattern: CommandPattern) {
  return applyDecorators(
    MessagePattern(pattern),
    SetMetadata(PATTERN, pattern),
    UseGuards(CommandGuard),
    UseFilters(CommandFilter),
  );
}
