import { InvalidArgumentError, type Command } from 'commander';
import { ApiClient } from './api-client.js';
import { print, type CliContext } from './context.js';
import { targetOf, withTarget, type TargetOptions } from './target.js';

interface ChannelInfo {
  readonly user_count?: number;
  readonly subscription_count?: number;
}

/** `publish`, `channels`, `users`, `terminate`: the HTTP API of a running server. */
export function addApiCommands(program: Command, context: CliContext): void {
  const api = (options: TargetOptions) => new ApiClient(targetOf(options, context));

  withTarget(program.command('publish').description('publish an event'))
    .argument('<channels>', 'names, comma-separated')
    .argument('<event>', 'its name', notEmpty)
    .argument('[data]', 'any text; JSON as a rule; - reads standard input', '{}')
    .option('--socket-id <id>', 'the connection that does not get it')
    .action(async (channels: string, event: string, data: string, options: TargetOptions & { socketId?: string }) => {
      const text = data === '-' ? await context.readInput() : data;
      const body = { name: event, channels: channels.split(','), data: text, socket_id: options.socketId };
      await api(options).call('POST', '/events', body);
      print(context, options.json, { ok: true }, () => `published ${event} to ${channels}`);
    });

  withTarget(program.command('channels').description('list the occupied channels, or show one'))
    .argument('[channel]', 'its name', notEmpty)
    .option('--prefix <prefix>', 'only those whose name begins so')
    .option('--info <attributes>', 'user_count, subscription_count, cache; comma-separated')
    .action(async (channel: string | undefined, options: TargetOptions & { prefix?: string; info?: string }) => {
      const { prefix, info, json } = options;
      const query = {
        ...(prefix === undefined ? {} : { filter_by_prefix: prefix }),
        ...(info === undefined ? {} : { info }),
      };
      const path = channel === undefined ? '/channels' : `/channels/${encodeURIComponent(channel)}`;
      const body = await api(options).call('GET', path, undefined, query);
      print(context, json, body, () => (channel === undefined ? listed(body) : described(body as object)));
    });

  withTarget(program.command('users').description('list the users of a presence channel'))
    .argument('<channel>', 'its name', notEmpty)
    .action(async (channel: string, options: TargetOptions) => {
      const body = await api(options).call('GET', `/channels/${encodeURIComponent(channel)}/users`);
      print(context, options.json, body, () =>
        (body as { users: { id: string }[] }).users.map(({ id }) => id).join('\n'),
      );
    });

  withTarget(program.command('terminate').description('close every connection of a user, on all nodes'))
    .argument('<user>', 'its id', notEmpty)
    .action(async (user: string, options: TargetOptions) => {
      await api(options).call('POST', `/users/${encodeURIComponent(user)}/terminate_connections`, {});
      print(context, options.json, { ok: true }, () => `closed the connections of ${user}`);
    });
}

/** What a variable that is not set expands to in a shell names nobody. */
function notEmpty(text: string): string {
  if (text === '') throw new InvalidArgumentError('It is empty.');
  return text;
}

function listed(body: unknown): string {
  const { channels } = body as { channels: Record<string, ChannelInfo> };
  return Object.entries(channels)
    .map(([name, info]) =>
      [name, ...Object.entries(info).map(([key, value]) => `${key}=${JSON.stringify(value)}`)].join(' '),
    )
    .join('\n');
}

function described(body: object): string {
  return Object.entries(body)
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join('\n');
}
