<!doctype html>
<html lang="en">
<head>
    <meta charset="utf-8">
    <meta name="csrf-token" content="{{ csrf_token() }}">
    <title>Order {{ request()->route('order') }}</title>
    @vite(['resources/js/app.js', 'resources/js/orders.js'])
</head>
<body data-order="{{ request()->route('order') }}">
    <p>At the desk: <span id="desk"></span></p>
    <ul id="log"></ul>
</body>
</html>
