import type { PlannedFile } from './planned-file.js';

const CHANNELS = `<?php

use Illuminate\\Support\\Facades\\Broadcast;

Broadcast::channel('App.Models.User.{id}', function ($user, $id) {
    return (int) $user->id === (int) $id;
});
`;

const REVERB_CONNECTION = `        'reverb' => [
            'driver' => 'reverb',
            'key' => env('REVERB_APP_KEY'),
            'secret' => env('REVERB_APP_SECRET'),
            'app_id' => env('REVERB_APP_ID'),
            'options' => [
                'host' => env('REVERB_HOST'),
                'port' => env('REVERB_PORT', 443),
                'scheme' => env('REVERB_SCHEME', 'https'),
                'useTLS' => env('REVERB_SCHEME', 'https') === 'https',
            ],
            'client_options' => [],
        ],
`;

const BROADCASTING = `<?php

return [

    'default' => env('BROADCAST_CONNECTION', 'null'),

    'connections' => [

${REVERB_CONNECTION}
        'log' => [
            'driver' => 'log',
        ],

        'null' => [
            'driver' => 'null',
        ],

    ],

];
`;

/** Of applications that were begun with Laravel 10 or older: it loads the channels, and their skeleton had it in a comment. */
const PROVIDER = 'App\\Providers\\BroadcastServiceProvider::class';

const CHANNELS_ARGUMENT = "channels: __DIR__.'/../routes/channels.php',";

/** What had to be left to a person: a warning; undefined when all is done. */
export type Leftover = string | undefined;

/** Skeletons since Laravel 11 come without it. */
export function createChannels(file: PlannedFile): void {
  if (!file.exists) file.text = CHANNELS;
}

/** Skeletons since Laravel 11 come without config/broadcasting.php; applications from before have it. */
export function addReverbConnection(file: PlannedFile): Leftover {
  if (!file.exists) {
    file.text = BROADCASTING;
    return undefined;
  }
  if (/(['"])reverb\1\s*=>\s*\[/.test(withoutComments(file.text))) return undefined;
  const opening = /^([ \t]*)(['"])connections\2\s*=>\s*\[[ \t]*\r?\n/m.exec(file.text);
  if (opening === null) {
    return `${file.path}: add a connection by hand, there is no 'connections' => [ that could be found:\n${REVERB_CONNECTION}`;
  }
  const end = opening.index + opening[0].length;
  const inserted = `\n${REVERB_CONNECTION}`.replaceAll('\n', file.newline);
  file.text = file.text.slice(0, end) + inserted + file.text.slice(end);
  return undefined;
}

/** Applications that were begun with Laravel 10 or older read another name, which nobody sets any more. */
export function usesConnection(file: PlannedFile): Leftover {
  const name = /(['"])default\1\s*=>\s*env\(\s*(['"])(\w+)\2/.exec(withoutComments(file.text))?.[3];
  if (name === undefined || name === 'BROADCAST_CONNECTION') return undefined;
  return `${file.path}: the default is that of ${name}, so that BROADCAST_CONNECTION does nothing: write env('BROADCAST_CONNECTION', 'null') there`;
}

/**
 * `withRouting` of Laravel 11 to 13, or the provider of older applications, which have no `withRouting` after an upgrade either.
 * @param config config/app.php where that provider is there
 */
export function routeChannels(file: PlannedFile, config?: PlannedFile): Leftover {
  const byHand = `${file.path}: add this to ->withRouting( by hand: ${CHANNELS_ARGUMENT}`;
  if (!file.exists) return byHand;
  const code = withoutComments(file.text);
  if (/->withBroadcasting\s*\(/.test(code) || /\bchannels\s*:/.test(code)) return undefined;
  if (config !== undefined && !/->withRouting\s*\(/.test(code) && enableProvider(config)) return undefined;
  // Below `commands:`, where install:broadcasting puts it, or first. A list of commands may go on in the next line.
  const commands = /^([ \t]*)commands\s*:[^\r\n[]*,[ \t]*\r?\n/m.exec(file.text);
  const opening = /^[ \t]*->withRouting\([ \t]*\r?\n([ \t]*)/m.exec(file.text);
  if (commands !== null) {
    insert(file, commands.index + commands[0].length, `${commands[1] ?? ''}${CHANNELS_ARGUMENT}${file.newline}`);
    return undefined;
  }
  if (opening === null) return byHand;
  insert(file, opening.index + opening[0].length, `${CHANNELS_ARGUMENT}${file.newline}${opening[1] ?? ''}`);
  return undefined;
}

function enableProvider(config: PlannedFile): boolean {
  if (withoutComments(config.text).includes(PROVIDER)) return true;
  config.text = config.text.replace(
    new RegExp(`^([ \\t]*)//[ \\t]*(${PROVIDER.replaceAll('\\', '\\\\')},)`, 'm'),
    '$1$2',
  );
  return config.hasChanged;
}

function insert(file: PlannedFile, at: number, text: string): void {
  file.text = file.text.slice(0, at) + text + file.text.slice(at);
}

/** Strings are read as well: the pattern 'stripe/*' begins no comment. */
function withoutComments(php: string): string {
  const tokens = /'(?:\\[^]|[^'\\])*'|"(?:\\[^]|[^"\\])*"|\/\*[^]*?\*\/|(?:\/\/|#(?!\[)).*/g;
  return php.replace(tokens, (token) => (/^['"]/.test(token) ? token : ''));
}
