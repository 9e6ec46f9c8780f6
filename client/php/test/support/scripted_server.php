<?php

/**
 * A server that does what a test says: for each connection in turn, one of its arguments.
 *
 *   reply=TEXT    takes a Sharedance command, sends these bytes, one at a time, and closes
 *   reset=text    takes a Sharedance command, sends the text, if there is one, and resets the connection
 *   hang          takes a Sharedance command, and does nothing
 *   drop          closes at once
 *   lines=A;B     takes lines, and replies A to the first, B to the second, and so on, and closes. After a PUT it
 *                 takes the value too. "V,M,W" becomes the reply with the value W, of version V, that lives M
 *                 milliseconds; in it % stands for the last value that was PUT
 *
 * Prints its port, then one line for each command or line that came, as JSON. Ends with its standard input.
 */

declare(strict_types=1);

function receive(Socket $connection, int $length): string
{
    $bytes = '';
    while (strlen($bytes) < $length) {
        $piece = socket_read($connection, $length - strlen($bytes));
        if ($piece === false || $piece === '') {
            throw new RuntimeException('the client has gone');
        }
        $bytes .= $piece;
    }
    return $bytes;
}

function receiveCommand(Socket $connection): string
{
    $head = receive($connection, 5);
    $rest = unpack('N', $head, 1)[1];
    if ($head[0] === 'S') {
        $head .= receive($connection, 4);
        $rest += unpack('N', $head, 5)[1];
    }
    return $head . receive($connection, $rest);
}

function receiveLine(Socket $connection): string
{
    $line = '';
    while (!str_ends_with($line, "\n")) {
        $line .= receive($connection, 1);
    }
    return rtrim($line);
}

function say(string $bytes): void
{
    fwrite(STDOUT, json_encode(base64_encode($bytes)) . "\n");
}

$listener = socket_create_listen(0);
socket_getsockname($listener, $address, $port);
fwrite(STDOUT, "$port\n");
foreach (array_slice($argv, 1) as $action) {
    [$what, $text] = [...explode('=', $action, 2), ''];
    $put = '';
    $connection = socket_accept($listener);
    try {
        if ($what === 'lines') {
            foreach (explode(';', $text) as $reply) {
                $line = receiveLine($connection);
                say($line);
                if (str_starts_with($line, 'PUT ')) {
                    $put = receive($connection, (int) explode(' ', $line)[3]);
                    say($put);
                }
                $text = stripcslashes($reply);
                if (preg_match('/^(\d+),(\d+),(.*)$/D', $text, $parts) === 1) {
                    $value = str_replace('%', $put, $parts[3]);
                    $length = strlen($value);
                    $text = "LEN $length type=raw ttl=$parts[2] version=$parts[1]\r\n$value\r\nDONE\r\n";
                }
                socket_write($connection, $text);
            }
        } elseif ($what !== 'drop') {
            say(receiveCommand($connection));
        }
        if ($what === 'reply' || $text !== '' && $what === 'reset') {
            socket_set_option($connection, SOL_TCP, TCP_NODELAY, 1);
            foreach (str_split($text) as $byte) {
                socket_write($connection, $byte);
            }
        }
        if ($what === 'reset') {
            socket_set_option($connection, SOL_SOCKET, SO_LINGER, ['l_onoff' => 1, 'l_linger' => 0]);
        } elseif ($what === 'hang') {
            socket_read($connection, 1);
        }
    } catch (RuntimeException $e) {
        say($e->getMessage());
    }
    socket_close($connection);
}
socket_close($listener);
fgets(STDIN);
