"""Draws how cost grows: panels as JSON in the first argument, the file to write in the second."""

import json
import sys

from matplotlib import pyplot as plt
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

plt.switch_backend("svg")
plt.rcParams["svg.hashsalt"] = "the same figures give the same file"

panels = json.loads(sys.argv[1])
figure, places = plt.subplots(1, len(panels), figsize=(4 * len(panels), 3.5), squeeze=False)
for place, panel in zip(places[0], panels, strict=True):
    place.plot(*zip(*panel["points"], strict=True), marker="o")
    place.set(title=panel["title"], xlabel=panel["of"], ylabel=panel["unit"])
    place.set_ylim(0, 1.1 * max(measured for _, measured in panel["points"]))
    place.xaxis.set_major_locator(MaxNLocator(4))
    place.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    place.grid(visible=True, alpha=0.3)
figure.tight_layout()
figure.savefig(sys.argv[2], metadata={"Date": None})
print(json.dumps(sys.argv[2]))
