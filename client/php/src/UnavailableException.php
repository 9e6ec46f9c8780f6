<?php

declare(strict_types=1);

namespace Dshm\Sharedance;

/** No host could be asked, or none gave an answer. A store or delete may have taken effect all the same. */
final class UnavailableException extends \RuntimeException
{
}
