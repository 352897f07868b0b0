<?php

// Composer's autoloader where there is one, and the stubs otherwise.
$autoload = __DIR__.'/../vendor/autoload.php';
if (is_file($autoload)) {
    require $autoload;
} else {
    require __DIR__.'/stubs/framework.php';
    // Debian's, which comes with its PHPUnit.
    require_once 'SebastianBergmann/Diff/autoload.php';
    spl_autoload_register(function (string $class): void {
        $prefix = 'Pogo\\Laravel\\';
        $path = __DIR__.'/../src/'.str_replace('\\', '/', substr($class, strlen($prefix))).'.php';
        if (str_starts_with($class, $prefix) && is_file($path)) {
            require $path;
        }
    });
}
