"""Running a plan on Ray: one machine or a cluster."""

import os

# Asked for anything once its cluster is gone, Ray would look for another one for minutes.
os.environ.setdefault("RAY_ENABLE_AUTO_CONNECT", "0")
