"""Way of failing: exits on import."""

import sys

sys.exit("goodbye")
