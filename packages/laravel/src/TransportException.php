<?php

namespace Pogo\Laravel;

use RuntimeException;

/** Nobody answers. */
class TransportException extends RuntimeException {}
