<?php

namespace Pogo\Laravel\Install;

use RuntimeException;

/** One sentence that says what is wrong and what to do. */
class InstallException extends RuntimeException {}
