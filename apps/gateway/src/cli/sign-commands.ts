import { signChannel, signUser } from '@pogo/pusher-protocol';
import type { Command } from 'commander';
import { print, type CliContext } from './context.js';
import { targetOf, withTarget, type TargetOptions } from './target.js';

/** `sign channel` and `sign user`: what an application's /broadcasting/auth answers. */
export function addSignCommands(program: Command, context: CliContext): void {
  const sign = program.command('sign').description('sign a subscription or a sign-in, as your application would');
  withTarget(sign.command('channel').description('the auth of a private or presence channel'))
    .argument('<socket-id>', 'of pusher:connection_established')
    .argument('<channel>')
    .option('--data <json>', 'channel_data of a presence channel: {"user_id":"1","user_info":{}}')
    .action((socketId: string, channel: string, options: TargetOptions & { data?: string }) => {
      const auth = signChannel(targetOf(options, context), socketId, channel, options.data);
      const answer = { auth, ...(options.data === undefined ? {} : { channel_data: options.data }) };
      print(context, options.json, answer, () => JSON.stringify(answer));
    });
  withTarget(sign.command('user').description('the auth of pusher:signin'))
    .argument('<socket-id>')
    .argument('<user-data>', '{"id":"1"}')
    .action((socketId: string, userData: string, options: TargetOptions) => {
      const answer = { auth: signUser(targetOf(options, context), socketId, userData), user_data: userData };
      print(context, options.json, answer, () => JSON.stringify(answer));
    });
}
