<?php

namespace Pogo\Laravel\Install;

/** What belongs into files of PHP. Each answers a warning where a person has to go on, and null where all is done. */
class PhpFiles
{
    private const CHANNELS = <<<'PHP'
    <?php

    use Illuminate\Support\Facades\Broadcast;

    Broadcast::channel('App.Models.User.{id}', function ($user, $id) {
        return (int) $user->id === (int) $id;
    });

    PHP;

    /** Of applications that were begun with Laravel 10 or older: it loads the channels, and their skeleton had it in a comment. */
    private const PROVIDER = 'App\\Providers\\BroadcastServiceProvider::class';

    private const CHANNELS_ARGUMENT = "channels: __DIR__.'/../routes/channels.php',";

    /** Skeletons since Laravel 11 come without config/broadcasting.php; applications from before have it. */
    public static function addConnection(PlannedFile $file, string $driver): ?string
    {
        $connection = self::connection($driver);
        if (! $file->exists()) {
            $file->text = "<?php\n\nreturn [\n\n    'default' => env('BROADCAST_CONNECTION', 'null'),\n\n    'connections' => [\n\n{$connection}\n"
                ."        'log' => [\n            'driver' => 'log',\n        ],\n\n        'null' => [\n            'driver' => 'null',\n        ],\n\n    ],\n\n];\n";

            return null;
        }
        if (preg_match("/(['\"]){$driver}\\1\\s*=>\\s*\\[/", self::withoutComments($file->text))) {
            return null;
        }
        if (! preg_match("/^[ \\t]*(['\"])connections\\1\\s*=>\\s*\\[[ \\t]*\\R/m", $file->text, $match, PREG_OFFSET_CAPTURE)) {
            return "{$file->path}: add a connection by hand, there is no 'connections' => [ that could be found:\n{$connection}";
        }
        $file->insert($match[0][1] + strlen($match[0][0]), str_replace("\n", $file->newline(), "\n{$connection}"));

        return null;
    }

    /** Applications that were begun with Laravel 10 or older read another name, which nobody sets any more. */
    public static function usesConnection(PlannedFile $file): ?string
    {
        $isFound = preg_match('/([\'"])default\1\s*=>\s*env\(\s*([\'"])(\w+)\2/', self::withoutComments($file->text), $match);
        if (! $isFound || $match[3] === 'BROADCAST_CONNECTION') {
            return null;
        }

        return "{$file->path}: the default is that of {$match[3]}, so that BROADCAST_CONNECTION does nothing: write env('BROADCAST_CONNECTION', 'null') there";
    }

    /** Skeletons since Laravel 11 come without it. */
    public static function createChannels(PlannedFile $file): void
    {
        if (! $file->exists()) {
            $file->text = self::CHANNELS;
        }
    }

    /**
     * `withRouting` of Laravel 11 to 13, or the provider of older applications, which have no `withRouting` after an upgrade either.
     *
     * @param  ?PlannedFile  $config  config/app.php where that provider is there
     */
    public static function routeChannels(PlannedFile $file, ?PlannedFile $config = null): ?string
    {
        $byHand = "{$file->path}: add this to ->withRouting( by hand: ".self::CHANNELS_ARGUMENT;
        $code = self::withoutComments($file->text);
        if (preg_match('/->withBroadcasting\s*\(|\bchannels\s*:/', $code)) {
            return null;
        }
        if ($config !== null && ! preg_match('/->withRouting\s*\(/', $code) && self::enableProvider($config)) {
            return null;
        }
        // Below `commands:`, where install:broadcasting puts it, or first. A list of commands may go on in the next line.
        if (preg_match('/^([ \t]*)commands\s*:[^\r\n[]*,[ \t]*\R/m', $file->text, $match, PREG_OFFSET_CAPTURE)) {
            $file->insert($match[0][1] + strlen($match[0][0]), $match[1][0].self::CHANNELS_ARGUMENT.$file->newline());
        } elseif (preg_match('/^[ \t]*->withRouting\([ \t]*\R([ \t]*)/m', $file->text, $match, PREG_OFFSET_CAPTURE)) {
            $file->insert($match[0][1] + strlen($match[0][0]), self::CHANNELS_ARGUMENT.$file->newline().$match[1][0]);
        } else {
            return $byHand;
        }

        return null;
    }

    private static function enableProvider(PlannedFile $config): bool
    {
        if (str_contains(self::withoutComments($config->text), self::PROVIDER)) {
            return true;
        }
        $config->text = (string) preg_replace('#^([ \t]*)//[ \t]*('.preg_quote(self::PROVIDER).',)#m', '$1$2', $config->text, 1);

        return $config->hasChanged();
    }

    /** Strings are read as well: the pattern 'stripe/*' begins no comment. */
    private static function withoutComments(string $php): string
    {
        $isComment = fn ($token) => is_array($token) && in_array($token[0], [T_COMMENT, T_DOC_COMMENT], true);

        return implode('', array_map(fn ($token) => $isComment($token) ? '' : (is_array($token) ? $token[1] : $token), token_get_all($php)));
    }

    private static function connection(string $driver): string
    {
        $useTls = $driver === 'reverb' ? "                'useTLS' => env('REVERB_SCHEME', 'https') === 'https',\n" : '';

        return <<<PHP
                '{$driver}' => [
                    'driver' => '{$driver}',
                    'key' => env('REVERB_APP_KEY'),
                    'secret' => env('REVERB_APP_SECRET'),
                    'app_id' => env('REVERB_APP_ID'),
                    'options' => [
                        'host' => env('REVERB_HOST'),
                        'port' => env('REVERB_PORT', 443),
                        'scheme' => env('REVERB_SCHEME', 'https'),
        {$useTls}            ],
                ],

        PHP;
    }
}
