"""Entry point of `python3 -m bench.cli`."""

import sys

from bench.cli.main import main

sys.exit(main())
