<?php

/** Loads Dshm\Limiter and what it needs, for sites without Composer. */

declare(strict_types=1);

spl_autoload_register(static function (string $class): void {
    foreach (['Dshm\\Sharedance\\' => '/src/', 'Dshm\\' => '/limits/'] as $prefix => $folder) {
        $file = __DIR__ . $folder . substr($class, strlen($prefix)) . '.php';
        if (str_starts_with($class, $prefix)) {
            if (is_file($file)) {
                require $file;
            }
            return;
        }
    }
});
