import { createHash } from 'node:crypto';
import { isSocketId, parseChannelName, signChannel, signUser, type ChannelName } from '@pogo/pusher-protocol';
import type { Command } from 'commander';
import { CliError, ExitCode, print, type CliContext } from './context.js';
import { finder, targetOf, withTarget, type TargetOptions } from './target.js';

const MASTER_KEY_BYTES = 32;
const MASTER_KEY = 'PUSHER_ENCRYPTION_MASTER_KEY';

interface ChannelOptions extends TargetOptions {
  readonly data?: string;
  readonly encryptionMasterKey?: string;
}

/** `sign channel` and `sign user`: what an application's /broadcasting/auth answers. */
export function addSignCommands(program: Command, context: CliContext): void {
  const sign = program.command('sign').description('sign a subscription or a sign-in, as your application would');
  withTarget(sign.command('channel').description('the auth of a private or presence channel'))
    .argument('<socket-id>', 'of pusher:connection_established')
    .argument('<channel>')
    .option('--data <json>', 'channel_data of a presence channel: {"user_id":"1","user_info":{}}')
    .option(
      '--encryption-master-key <base64>',
      'of your publishers, for encrypted channels: or PUSHER_ENCRYPTION_MASTER_KEY',
    )
    .action((socketId: string, channel: string, options: ChannelOptions) => {
      checkSocketId(socketId);
      const { isEncrypted } = checkChannel(channel, options.data);
      const auth = signChannel(targetOf(options, context), socketId, channel, options.data);
      const masterKey = options.encryptionMasterKey ?? finder(options, context)(MASTER_KEY);
      const answer = {
        auth,
        ...(options.data === undefined ? {} : { channel_data: options.data }),
        ...(isEncrypted && masterKey ? { shared_secret: sharedSecret(channel, masterKey) } : {}),
      };
      if (isEncrypted && !masterKey) {
        context.err(`clients need a shared_secret, too: give --encryption-master-key, or set ${MASTER_KEY}\n`);
      }
      print(context, options.json, answer, () => JSON.stringify(answer));
    });
  withTarget(sign.command('user').description('the auth of pusher:signin'))
    .argument('<socket-id>')
    .argument('<user-data>', '{"id":"1"}')
    .action((socketId: string, userData: string, options: TargetOptions) => {
      checkSocketId(socketId);
      if (!hasText(userData, 'id')) throw usage('the user data must be a JSON object with an id: {"id":"1"}');
      const answer = { auth: signUser(targetOf(options, context), socketId, userData), user_data: userData };
      print(context, options.json, answer, () => JSON.stringify(answer));
    });
}

// The signature of anything can be computed, and what a server says of a wrong one is that the signature is wrong.

function checkSocketId(text: string): void {
  if (!isSocketId(text)) throw usage(`${JSON.stringify(text)} is no socket id: 1234.5678`);
}

function checkChannel(text: string, data: string | undefined): ChannelName {
  const channel = parseChannelName(text, Infinity);
  if (typeof channel === 'string') throw usage(`${JSON.stringify(text)} is no channel`);
  const { name, kind } = channel;
  if (kind !== 'private' && kind !== 'presence')
    throw usage(`${name} is not signed: private- and presence- channels are`);
  if (kind === 'presence' && (data === undefined || !hasText(data, 'user_id'))) {
    throw usage(`${name} needs --data: a JSON object with a user_id, {"user_id":"1"}`);
  }
  return channel;
}

/** With which clients decrypt; the server never sees it. As https://pusher.com/docs/channels/using_channels/encrypted-channels has it. */
function sharedSecret(channel: string, masterKey: string): string {
  const key = Buffer.from(masterKey, 'base64');
  if (key.length !== MASTER_KEY_BYTES) {
    throw usage(`the encryption master key has ${key.length} bytes: ${MASTER_KEY_BYTES} are needed, as base64`);
  }
  return createHash('sha256').update(channel).update(key).digest('base64');
}

/** True for the JSON of an object that has a text, or a number, of this name. */
function hasText(json: string, name: string): boolean {
  try {
    const value = (JSON.parse(json) as Readonly<Record<string, unknown>> | null)?.[name];
    return (typeof value === 'string' && value !== '') || typeof value === 'number';
  } catch {
    return false;
  }
}

function usage(message: string): CliError {
  return new CliError(message, ExitCode.usage);
}
