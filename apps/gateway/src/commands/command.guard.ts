import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { RedisContext } from '@nestjs/microservices';
import { CommandNonces, PublishStatus, UnavailableError } from '@pogo/hub';
import { COMMAND_MAX_AGE_SECONDS, parseSignedCommand, verifyCommand } from '@pogo/pusher-protocol';
import type { CommandPattern, SignedCommand } from '@pogo/pusher-protocol';
import { of } from 'rxjs';
import { GATEWAY_CONFIG, type GatewayConfig } from '../config/gateway-config.js';
import { answerOf } from './answer.js';
import { PATTERN } from './command-pattern.js';
import { ANSWERED_ELSEWHERE, CommandEnded, CommandRefusal } from './command-refusal.js';

/** A time-stamp is good for twice the age; the rest is for clocks of nodes that differ. */
const NONCE_TTL_MS = (2 * COMMAND_MAX_AGE_SECONDS + 30) * 1_000;

/**
 * Lets a command pass when the holder of `command_secret` has signed it, once. Nothing of its body is looked into before.
 *
 * Over Redis every node hears it, and the one that claims the nonce answers, also when it refuses: nodes that disagree,
 * because the clock of one is wrong or it has another secret, would otherwise give two answers of which the refusal is
 * the faster one, for a command that is carried out.
 */
@Injectable()
export class CommandGuard implements CanActivate {
  constructor(
    @Inject(GATEWAY_CONFIG) private readonly config: GatewayConfig,
    private readonly nonces: CommandNonces,
    private readonly reflector: Reflector,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const rpc = context.switchToRpc();
    const pattern = this.reflector.get<CommandPattern>(PATTERN, context.getHandler());
    const command = parseSignedCommand(rpc.getData());
    if (command === undefined) throw new CommandRefusal('a command is {body, timestamp, nonce, signature}');
    const refusal = this.refusalOf(pattern, command);
    const isHeardByAll = rpc.getContext<unknown>() instanceof RedisContext;
    if (refusal !== undefined && !isHeardByAll) throw refusal;
    const isFirst = await this.claim(pattern, command, isHeardByAll);
    if (!isFirst) throw isHeardByAll ? ANSWERED_ELSEWHERE : new CommandRefusal('the nonce has been used before');
    if (refusal !== undefined) throw refusal;
    return true;
  }

  private refusalOf(pattern: CommandPattern, command: SignedCommand): CommandRefusal | undefined {
    const { commands, http } = this.config;
    if (commands === undefined)
      return new CommandRefusal('no commands are served: set command_secret, the same here and at the publisher');
    if (command.body.length > http.maxBodyBytes)
      return new CommandRefusal(
        `The command's body exceeds the allowed maximum (${http.maxBodyBytes} bytes)`,
        PublishStatus.payload_too_large,
      );
    switch (verifyCommand(commands.secret, pattern, command, Date.now())) {
      case 'valid':
        return undefined;
      case 'wrong_time':
        return new CommandRefusal(
          `the time-stamp is more than ${COMMAND_MAX_AGE_SECONDS} seconds from the gateway's clock: compare the clocks`,
        );
      case 'wrong_signature':
        return new CommandRefusal('the signature is not that of command_secret');
    }
  }

  /** Of several nodes that cannot ask, one may have been given the command all the same: they keep silent. */
  private async claim(pattern: CommandPattern, { nonce }: SignedCommand, isHeardByAll: boolean): Promise<boolean> {
    try {
      return await this.nonces.claim(nonce, NONCE_TTL_MS);
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
      if (isHeardByAll) throw ANSWERED_ELSEWHERE;
      if (pattern === 'pogo.terminate_user') throw new CommandRefusal(UNAVAILABLE, PublishStatus.broker_failed);
      throw new CommandEnded(of(answerOf(PublishStatus.broker_failed)));
    }
  }
}

/** What a command that has no statuses is refused with while the nodes cannot be told. */
export const UNAVAILABLE = 'what connects the nodes is not available: ask again';
