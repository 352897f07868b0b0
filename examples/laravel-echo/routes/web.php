<?php

use App\Events\OrderShipped;
use Illuminate\Http\Request;
use Illuminate\Support\Facades\Route;

Route::middleware('auth')->group(function () {
    Route::view('/orders/{order}', 'orders');

    // The page that ships it knows already: everybody else is told.
    Route::post('/orders/{order}/ship', function (Request $request, int $order) {
        broadcast(new OrderShipped($order, (string) $request->input('carrier', 'post')))->toOthers();

        return response()->noContent();
    });
});
