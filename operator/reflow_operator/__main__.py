"""`python -m reflow_operator`."""

import sys

from reflow_operator.main import main

sys.exit(main())
