"""The picture as .png or .svg, by matplotlib."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..graph import ConversionError
from .panels import COLOURS, Box, Panel, short

_INK, _FAINT, _BOUND = "#22303c", "#8b98a5", "#c1121f"
_WIDTH, _HEIGHT = 15.0, 7.5  # inches
_LETTER = 0.58  # width of a letter, in heights
_SMALLEST, _LARGEST = 5.0, 9.5  # points
_MOST_NAMES = 45  # layers that are named along the time axis


def draw(path: Path, title: str, panels: list[Panel]) -> None:
    """Raises ConversionError where matplotlib is not installed."""
    try:
        from matplotlib import rc_context
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.layout_engine import ConstrainedLayoutEngine
    except ImportError:
        raise ConversionError(
            f"a {path.suffix} picture needs matplotlib: pip install matplotlib (an .html picture needs nothing)"
        ) from None
    # The same plan gives the same file; text in an .svg stays text.
    with rc_context({"svg.hashsalt": "nnmicro", "svg.fonttype": "none", "font.family": "DejaVu Sans"}):
        room = ConstrainedLayoutEngine(w_pad=0.14, h_pad=0.12, wspace=0.03)
        figure = Figure(figsize=(_WIDTH, _HEIGHT), dpi=150, layout=room)
        canvas = FigureCanvasAgg(figure)
        figure.suptitle(title, x=0.01, ha="left", fontsize=14, fontweight="bold", color=_INK)
        ratios = [1.6] + [1.0] * (len(panels) - 1)
        axes = figure.subplots(1, len(panels), squeeze=False, width_ratios=ratios)[0]
        for panel, ax in zip(panels, axes, strict=True):
            _frame(ax, panel)
        canvas.draw()  # the sizes of boxes in points are known only after a first layout
        for panel, ax in zip(panels, axes, strict=True):
            for index, box in enumerate(panel.boxes):
                _box(ax, box, COLOURS[index % len(COLOURS)])
        figure.savefig(path, metadata={"Date": None} if path.suffix.lower() == ".svg" else None)


def _frame(ax: Any, panel: Panel) -> None:
    """Axes, title and the line of the bound."""
    top = max(panel.size, panel.bound)
    ax.set_xlim(0, len(panel.layers) + 1)
    ax.set_ylim(0, top * 1.04)
    ax.set_title(f"{panel.title}: {panel.size:,} bytes", loc="left", fontsize=11, color=_INK)
    ax.axhline(panel.bound, color=_BOUND, linewidth=1.3, linestyle=(0, (5, 3)), zorder=5)
    ax.annotate(
        f"{panel.bound_name} {panel.bound:,}",
        (1.0, panel.bound),
        xycoords=("axes fraction", "data"),
        xytext=(-4, 3),
        textcoords="offset points",
        ha="right",
        fontsize=8.5,
        color=_BOUND,
        zorder=6,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.8},
    )
    ax.yaxis.set_major_formatter(lambda value, _: f"{int(value):,}")
    ax.tick_params(colors=_INK, labelsize=8, length=0)
    names = ["input", *panel.layers]
    if len(names) <= _MOST_NAMES:
        ax.set_xticks([i + 0.5 for i in range(len(names))])
        ax.set_xticklabels([_shortened(short(name), 26) for name in names], rotation=90, fontsize=6.5)
    else:
        ax.set_xlabel("layers, in the order they run", fontsize=9, color=_INK)
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
    ax.spines["bottom"].set_color(_FAINT)
    ax.grid(axis="y", color=_FAINT, alpha=0.25, linewidth=0.6)
    ax.set_axisbelow(True)


def _box(ax: Any, box: Box, colour: str) -> None:
    """A block's rectangle, and as much of its name as there is room for."""
    from matplotlib.patches import Rectangle

    left, width = box.first + 1, box.last - box.first + 1
    ax.add_patch(Rectangle((left, box.offset), width, box.nbytes, facecolor=colour, edgecolor="white", linewidth=0.9))
    corners = ax.transData.transform([(left, box.offset), (left + width, box.offset + box.nbytes)])
    wide, high = (corners[1] - corners[0]) * 72 / ax.figure.dpi - 4  # points
    turned = high > 1.5 * wide
    along, across = (high, wide) if turned else (wide, high)
    size = min(_LARGEST, across * 0.8)
    label = box.label
    if along < len(label) * size * _LETTER:
        size = max(_SMALLEST, along / (len(label) * _LETTER))
    letters = int(along / (size * _LETTER))
    if across < _SMALLEST / 0.8 or across < size or letters < 2:
        return
    text = ax.text(
        left + width / 2, box.offset + box.nbytes / 2, _shortened(label, letters), rotation=90 if turned else 0,
        ha="center", va="center", fontsize=size, color=_INK, clip_on=True, parse_math=False,
    )  # fmt: skip
    text.set_in_layout(False)


def _shortened(text: str, letters: int) -> str:
    """The end of a name says more than its beginning, where layers are named by paths."""
    return text if len(text) <= letters else "…" + text[len(text) - letters + 1 :]
