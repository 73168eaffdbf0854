# SPDX-License-Identifier: Apache-2.0
"""Small clean line charts as SVG, by hand: no plotting library is worth its packages for five pictures."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 440, 270
LEFT, RIGHT, TOP, BOTTOM = 62, 14, 34, 44
LINE_OF_LEGEND = 18
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000", "#8c564b", "#7f7f7f", "#9467bd")
DASHES = ("", "7 3", "2 2")

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Panel:
    """One chart. ``lines``: points by name; ``marks``: names by y, each a thin line across; a log scale drops what is
    not positive; ``low``, ``high``: limits of y in place of those of the points."""

    title: str
    x: str
    lines: dict[str, Points]
    log_x: bool = False
    log_y: bool = False
    marks: dict[float, str] = field(default_factory=dict)
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Bars:
    """Horizontal bars: by name two parts one after the other, and a tick beside them. ``names``: of these three."""

    title: str
    x: str
    rows: dict[str, tuple[float, float, float]]
    names: tuple[str, str, str]


class Scale:
    """From values to pixels."""

    def __init__(self, low: float, high: float, start: float, end: float, log: bool) -> None:
        self.log = log
        if high <= low:
            low, high = (low / 2, high * 2) if log else (low - 1, high + 1)
        self.low, self.high, self.start, self.end = low, high, start, end

    def __call__(self, value: float) -> float:
        value = min(max(value, self.low), self.high)
        if self.log:
            part = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            part = (value - self.low) / (self.high - self.low)
        return self.start + part * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Round values in the range, four or so."""
        if self.log:
            first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
            steps = (1,) if last - first > 3 else (1, 2, 5)
            every = max(1, (last - first) // 6)
            found = [step * 10.0**at for at in range(first, last + 1, every) for step in steps]
        else:
            raw = (self.high - self.low) / 4
            power = 10.0 ** math.floor(math.log10(raw))
            step = next(power * part for part in (1, 2, 2.5, 5, 10) if power * part >= raw * 0.99)
            found = [
                step * at for at in range(math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9) + 1)
            ]
        near = 1e-9 * (self.high - self.low)
        return [value for value in found if self.low - near <= value <= self.high + near]


def label(value: float) -> str:
    """``1.5M``, ``20k``, ``0.05``, ``10⁻⁶``."""
    size = abs(value)
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if size >= limit:
            return f"{value / limit:g}{unit}"
    if 0 < size < 1e-3:
        digits = str(round(math.log10(size))).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
        return f"10{digits}"
    return f"{value:.6g}"


def figure(panels: Sequence[Panel | Bars], columns: int, is_shared: bool = True) -> str:
    """A picture of panels in rows. Below, one legend for all their lines; not shared, one for each panel of one row."""
    charts = [panel for panel in panels if isinstance(panel, Panel)]
    groups = [charts] if is_shared else [[chart] for chart in charts]
    styles = [_style(group) for group in groups]
    deep = [_height(panel) for panel in panels]
    rows = [max(deep[at : at + columns]) for at in range(0, len(panels), columns)]
    width = WIDTH * min(columns, len(panels))
    parts = []
    for at, panel in enumerate(panels):
        style = styles[0 if is_shared else at] if styles else {}
        body = "".join(_panel(panel, style) if isinstance(panel, Panel) else _bars(panel))
        parts.append(f'<g transform="translate({at % columns * WIDTH},{sum(rows[: at // columns])})">{body}</g>')
    height = sum(rows)
    for at, style in enumerate(styles):
        legend, deep_legend = _legend(style, at * WIDTH, width if is_shared else WIDTH, sum(rows))
        parts.append(legend)
        height = max(height, sum(rows) + deep_legend)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
    font = 'font-family="Helvetica, Arial, sans-serif" font-size="12" fill="#222">'
    back = f'<rect width="{width}" height="{height}" fill="#fff"/>'
    return "\n".join([head + font, back, *parts, "</svg>"]) + "\n"


def _style(panels: Sequence[Panel]) -> dict[str, tuple[str, str]]:
    """Colour and dashes of each line's name."""
    names = dict.fromkeys(name for panel in panels for name in panel.lines)
    return {name: (COLOURS[at % len(COLOURS)], DASHES[at % len(DASHES)]) for at, name in enumerate(names)}


def _height(panel: Panel | Bars) -> int:
    return HEIGHT if isinstance(panel, Panel) else TOP + BOTTOM + 24 * len(panel.rows) + LINE_OF_LEGEND


def _text(x: float, y: float, words: str, anchor: str = "start", more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{escape(words)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, more: str = "") -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"{more}/>'


def _panel(panel: Panel, style: dict[str, tuple[str, str]]) -> Iterator[str]:
    lines = {name: [p for p in points if _shown(panel, p)] for name, points in panel.lines.items()}
    xs = [x for points in lines.values() for x, _ in points] or [1.0]
    ys = [y for points in lines.values() for _, y in points] + list(panel.marks) or [1.0]
    x = Scale(min(xs), max(xs), LEFT, WIDTH - RIGHT, panel.log_x)
    low = min(ys) if panel.low is None else panel.low
    y = Scale(low, max(ys) if panel.high is None else panel.high, HEIGHT - BOTTOM, TOP, panel.log_y)
    yield from _axes(panel.title, panel.x, x, y, HEIGHT - BOTTOM)
    for value, words in panel.marks.items():
        yield _line(LEFT, y(value), WIDTH - RIGHT, y(value), "#444", ' stroke-dasharray="4 3"')
        yield _text(WIDTH - RIGHT - 3, y(value) - 4, words, "end", ' font-size="10"')
    for name, points in lines.items():
        colour, dash = style[name]
        path = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in points)
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.7"{dashes}/>'


def _shown(panel: Panel, point: tuple[float, float]) -> bool:
    least = 0.0 if panel.low is None else panel.low * (1 - 1e-9)
    return (point[0] > 0 or not panel.log_x) and (point[1] > max(0.0, least) or not panel.log_y)


def _axes(title: str, name: str, x: Scale, y: Scale | None, bottom: float) -> Iterator[str]:
    yield _text(LEFT, TOP - 14, title, more=' font-weight="bold"')
    for value in x.ticks():
        yield _line(x(value), TOP, x(value), bottom, "#e6e6e6")
        yield _text(x(value), bottom + 15, label(value), "middle", ' font-size="11"')
    for value in y.ticks() if y else ():
        yield _line(LEFT, y(value), WIDTH - RIGHT, y(value), "#e6e6e6")  # type: ignore[misc]
        yield _text(LEFT - 6, y(value) + 4, label(value), "end", ' font-size="11"')  # type: ignore[misc]
    yield _line(LEFT, bottom, WIDTH - RIGHT, bottom, "#888")
    yield _text((LEFT + WIDTH - RIGHT) / 2, bottom + 32, name, "middle", ' font-size="11"')


def _bars(bars: Bars) -> Iterator[str]:
    left, bottom = 150, TOP + 24 * len(bars.rows)
    x = Scale(0, max(max(a + b, tick) for a, b, tick in bars.rows.values()) * 1.05, left, WIDTH - RIGHT, False)
    yield from _axes(bars.title, bars.x, x, None, bottom)
    for at, (name, (first, second, tick)) in enumerate(bars.rows.items()):
        top = TOP + 24 * at + 4
        yield _text(left - 6, top + 12, name, "end", ' font-size="11"')
        yield f'<rect x="{left}" y="{top}" width="{x(first) - left:.1f}" height="16" fill="{COLOURS[0]}"/>'
        width = x(first + second) - x(first)
        yield f'<rect x="{x(first):.1f}" y="{top}" width="{width:.1f}" height="16" fill="{COLOURS[4]}"/>'
        yield _line(x(tick), top - 3, x(tick), top + 19, COLOURS[1], ' stroke-width="2.5"')
    for at, (words, colour) in enumerate(zip(bars.names, (COLOURS[0], COLOURS[4], COLOURS[1]), strict=True)):
        yield f'<rect x="{LEFT + at * 125}" y="{bottom + 42}" width="12" height="10" fill="{colour}"/>'
        yield _text(LEFT + at * 125 + 17, bottom + 51, words, more=' font-size="11"')


def _legend(style: dict[str, tuple[str, str]], left: int, width: int, top: float) -> tuple[str, int]:
    each = max(130, 44 + 7 * max(map(len, style), default=0))
    columns = max(1, (width - LEFT) // each)
    parts = []
    for at, (name, (colour, dash)) in enumerate(style.items()):
        x, y = left + LEFT + at % columns * each, top + 8 + at // columns * LINE_OF_LEGEND
        dashes = f' stroke-width="2.5" stroke-dasharray="{dash}"' if dash else ' stroke-width="2.5"'
        parts += [_line(x, y, x + 24, y, colour, dashes), _text(x + 30, y + 4, name)]
    return "".join(parts), LINE_OF_LEGEND * -(-len(style) // columns) + 12
