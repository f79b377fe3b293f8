"""`python -m culld`."""

import sys

from culld.cli import main

if __name__ == "__main__":
    sys.exit(main())
