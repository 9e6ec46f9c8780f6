<?php

/**
 * What a site does with a session, for tests: ?do=show, count, login, logout or regenerate. Replies who is logged in
 * and the count. With sleep=MILLISECONDS it takes so long, between reading and writing the session.
 */

declare(strict_types=1);

ini_set('display_errors', '0');
ini_set('log_errors', '1');

if (!session_start()) {
    http_response_code(503);
    exit('no session');
}
$do = $_GET['do'] ?? 'show';
$count = $_SESSION['count'] ?? 0;
usleep(1000 * (int) ($_GET['sleep'] ?? 0));
if ($do === 'count') {
    $_SESSION['count'] = ++$count;
} elseif ($do === 'login') {
    $_SESSION['user'] = $_GET['user'];
} elseif ($do === 'logout') {
    session_destroy();
    $_SESSION = [];
} elseif ($do === 'regenerate') {
    session_regenerate_id(true);
}
$user = $_SESSION['user'] ?? 'nobody';
if (session_status() === PHP_SESSION_ACTIVE && !session_write_close()) {
    http_response_code(503);
    exit('not written');
}
header('Content-Type: text/plain');
echo "$user $count";
