<?php

use Illuminate\Support\Facades\Broadcast;

// Who may listen to an order. The gateway asks nobody: it checks what Laravel has signed.
Broadcast::channel('orders.{orderId}', fn ($user, int $orderId) => true);

// Who is at the desk, and what the others see of them.
Broadcast::channel('desk', fn ($user) => ['id' => $user->id, 'name' => $user->name]);
