<?php

// What the package uses of Laravel and Symfony, for machines without Composer. Bodies follow laravel/framework 12 where they matter.

namespace Illuminate\Broadcasting {
    class BroadcastException extends \RuntimeException {}
}

namespace Illuminate\Broadcasting\Broadcasters {
    trait UsePusherChannelConventions
    {
        public function isGuardedChannel($channel)
        {
            return str_starts_with($channel, 'private-') || str_starts_with($channel, 'presence-');
        }

        public function normalizeChannelName($channel)
        {
            foreach (['private-encrypted-', 'private-', 'presence-'] as $prefix) {
                if (str_starts_with($channel, $prefix)) {
                    return substr($channel, strlen($prefix));
                }
            }

            return $channel;
        }
    }

    abstract class Broadcaster
    {
        /** Channel without prefix → what its callback answers. */
        public array $channels = [];

        abstract public function auth($request);

        abstract public function validAuthenticationResponse($request, $result);

        abstract public function broadcast(array $channels, $event, array $payload = []);

        public function resolveAuthenticatedUser($request)
        {
            return $request->user === null ? null : ['id' => (string) $request->user->getAuthIdentifier()];
        }

        protected function verifyUserCanAccessChannel($request, $channel)
        {
            if (empty($this->channels[$channel])) {
                throw new \Symfony\Component\HttpKernel\Exception\AccessDeniedHttpException;
            }

            return $this->validAuthenticationResponse($request, $this->channels[$channel]);
        }

        protected function retrieveUser($request, $channel)
        {
            return $request->user;
        }

        protected function formatChannels(array $channels)
        {
            return array_map(fn ($channel) => (string) $channel, $channels);
        }
    }
}

namespace Illuminate\Support {
    class Arr
    {
        public static function pull(&$array, $key, $default = null)
        {
            $value = $array[$key] ?? $default;
            unset($array[$key]);

            return $value;
        }
    }
}

namespace Symfony\Component\HttpKernel\Exception {
    class AccessDeniedHttpException extends \RuntimeException {}
}

namespace Symfony\Component\Console\Output {
    interface OutputInterface
    {
        public const OUTPUT_RAW = 2;
    }
}

namespace Illuminate\Console {
    class Command
    {
        public const SUCCESS = 0;

        public const FAILURE = 1;

        public object $laravel;

        public object $output;

        /** @var array<string, mixed> */
        public array $given = [];

        public function option($key)
        {
            preg_match("/\\{--{$key}(=(\\S*))?/", $this->signature, $match) || throw new \InvalidArgumentException("no option {$key}");

            return $this->given[$key] ?? (isset($match[1]) ? ($match[2] === '' ? null : $match[2]) : false);
        }

        public function line($string)
        {
            // As a formatter does it: tags are eaten.
            $this->output->text .= preg_replace('#<[a-z]+>|</[a-z]*>#', '', $string)."\n";
        }

        public function warn($string)
        {
            $this->line($string);
        }

        public function error($string)
        {
            $this->line($string);
        }
    }
}
