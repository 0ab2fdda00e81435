"""``python -m redisipc`` is the command line, as ``redisipc`` is."""

import sys

from redisipc.cli.main import main

sys.exit(main())
