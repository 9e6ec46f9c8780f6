<?php

declare(strict_types=1);

namespace Dshm;

/** The cluster has refused a request and taken nothing: its message is the error code, such as "bad_request". */
final class RefusedException extends \RuntimeException
{
}
