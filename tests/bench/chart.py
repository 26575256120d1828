# SPDX-License-Identifier: MIT
"""The results as a chart: seconds by state and driver. Draws what figures.py computes, no more."""

from pathlib import Path

import matplotlib
from figures import Results, Series
from scenario import DRIVERS, INITS, STATES

matplotlib.use("svg")
# The backend has to be chosen before this is imported.
from matplotlib import pyplot  # noqa: E402


def draw(results: Results, target: Path):
    """Writes the SVG: a panel for each value of init_on_alloc, bars from least to most."""
    drawn = [series for series in results.all() if series.state in STATES]
    inits = [init for init in INITS if any(series.init == init for series in drawn)]
    if not inits:
        return
    told = results.conditions
    # Otherwise the same results would give another file each time.
    pyplot.rcParams["svg.hashsalt"] = "memplug"
    figure, panels = pyplot.subplots(len(inits), 1, figsize=(9, 3.6 * len(inits)), squeeze=False)
    for init, panel in zip(inits, panels[:, 0]):
        _panel(panel, [series for series in drawn if series.init == init])
        panel.set_title(f"init_on_alloc={init}", fontsize=10)
    # Below the panels, where it hides no bar.
    figure.legend(*panels[0, 0].get_legend_handles_labels(), fontsize=8, loc="lower center",
                  ncols=len(DRIVERS))
    figure.suptitle("Time to take memory out of a guest: median, least and most\n"
                    f"Linux {told['kernel']}, {told['cpus']} CPUs, {told['accel']}, "
                    f"{told['date']}", fontsize=11)
    figure.tight_layout(rect=(0, 0.05, 1, 1))
    figure.savefig(target, format="svg", metadata={"Date": None})
    pyplot.close(figure)
    # Like every file of the project.
    lines = target.read_text(encoding="utf-8").split("\n", 1)
    target.write_text(f"{lines[0]}\n<!-- SPDX-License-Identifier: MIT -->\n{lines[1]}",
                      encoding="utf-8")


def _panel(panel, drawn: list[Series]):
    states = [state for state in STATES if any(series.state == state for series in drawn)]
    drivers = [name for name in DRIVERS if any(series.driver == name for series in drawn)]
    width = 0.8 / len(drivers)
    for place, driver in enumerate(drivers):
        offset = (place - (len(drivers) - 1) / 2) * width
        bars = [(states.index(series.state) + offset, series, spread) for series in drawn
                if series.driver == driver and (spread := series.spread("seconds"))]
        panel.bar([x for x, _, _ in bars], [spread.median for _, _, spread in bars], width,
                  label=driver,
                  yerr=[[spread.median - spread.least for _, _, spread in bars],
                        [spread.most - spread.median for _, _, spread in bars]],
                  error_kw={"elinewidth": 0.8}, capsize=2)
    panel.set_yscale("log")
    panel.set_ylabel("seconds, log scale")
    panel.set_xticks(range(len(states)), [f"{state}\n{STATES[state].requested >> 20} MiB"
                                          for state in states], fontsize=9)
    panel.grid(axis="y", alpha=0.3)
