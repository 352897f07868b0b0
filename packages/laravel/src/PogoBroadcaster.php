<?php

namespace Pogo\Laravel;

use Illuminate\Broadcasting\Broadcasters\Broadcaster;
use Illuminate\Broadcasting\Broadcasters\UsePusherChannelConventions;
use Illuminate\Support\Arr;
use Symfony\Component\HttpKernel\Exception\AccessDeniedHttpException;

/** The driver `pogo`: authorizes channels as Pusher's does, and publishes through {@see Gateway}. */
class PogoBroadcaster extends Broadcaster
{
    use UsePusherChannelConventions;

    public function __construct(private Gateway $gateway) {}

    public function auth($request)
    {
        $channel = $this->normalizeChannelName($request->channel_name);
        $isGuarded = $this->isGuardedChannel($request->channel_name);
        if (empty($request->channel_name) || ($isGuarded && ! $this->retrieveUser($request, $channel))) {
            throw new AccessDeniedHttpException;
        }

        return parent::verifyUserCanAccessChannel($request, $channel);
    }

    public function validAuthenticationResponse($request, $result)
    {
        if (str_starts_with($request->channel_name, 'private')) {
            return $this->gateway->signChannel($this->socketOf($request), $request->channel_name);
        }
        $user = $this->retrieveUser($request, $this->normalizeChannelName($request->channel_name));
        $member = ['user_id' => (string) $this->identifierOf($user), 'user_info' => $result];

        return $this->gateway->signChannel($this->socketOf($request), $request->channel_name, json_encode($member, JSON_THROW_ON_ERROR));
    }

    public function resolveAuthenticatedUser($request)
    {
        $user = parent::resolveAuthenticatedUser($request);

        return $user ? $this->gateway->signUser($this->socketOf($request), json_encode($user, JSON_THROW_ON_ERROR)) : null;
    }

    /** `toOthers()` puts the connection that does not get it into the payload. */
    public function broadcast(array $channels, $event, array $payload = [])
    {
        $socket = Arr::pull($payload, 'socket');
        $this->gateway->publish($this->formatChannels($channels), $event, json_encode($payload, JSON_THROW_ON_ERROR), $socket);
    }

    /** What a client leaves out, or sends as a list, is no socket id. */
    private function socketOf(mixed $request): string
    {
        return is_string($request->socket_id) ? $request->socket_id : '';
    }

    private function identifierOf(mixed $user): mixed
    {
        return method_exists($user, 'getAuthIdentifierForBroadcasting')
            ? $user->getAuthIdentifierForBroadcasting()
            : $user->getAuthIdentifier();
    }
}
