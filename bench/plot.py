"""Charts as SVG texts: bars from zero, and lines over linear or logarithmic axes.

Nothing but text comes out, and the same values give the same text, so that a chart can be checked
against the numbers that it shows. Both axes say what they count and in which unit.
"""
import math
from typing import NamedTuple
from xml.sax.saxutils import escape

FONT = "font-family='Helvetica, Arial, sans-serif'"
INK, GRID = "#222222", "#dddddd"
# Told apart also without colours of red and green.
COLOURS = ("#0b62a4", "#e08a00", "#3a9a6b", "#b5476b", "#6f5aa8", "#8c8c8c", "#5bb0d6", "#7a5230",
           "#c2a500")


class Panel(NamedTuple):
    """A group of bars under a heading: [(label, value, colour)]."""

    heading: str
    bars: list


class Series(NamedTuple):
    label: str
    points: list
    """[(x, y)]"""
    colour: str


def bars(title, panels, unit):
    """Horizontal bars, each with its number; every panel has an axis of its own, from zero."""
    width, label_width, number_width, bar_height = 760, 210, 80, 20
    drawn, y = [text(16, 26, title, size=16, weight="bold")], 46
    for panel in panels:
        ticks = linear_ticks(max((value for _, value, _ in panel.bars), default=0))
        scale = (width - label_width - number_width) / ticks[-1]
        drawn.append(text(16, y + 12, panel.heading, size=13, weight="bold"))
        top, y = y + 20, y + 22
        bottom = y + bar_height * len(panel.bars) + 2
        for tick in ticks:
            x = label_width + tick * scale
            drawn.append(line(x, top, x, bottom, GRID))
            drawn.append(text(x, bottom + 13, shown(tick), anchor="middle", size=10))
        for label, value, colour in panel.bars:
            drawn.append(text(label_width - 8, y + 14, label, anchor="end"))
            drawn.append(f"<rect x='{label_width}' y='{y + 3}' width='{value * scale:.1f}' "
                         f"height='{bar_height - 6}' fill='{colour}'/>")
            drawn.append(text(label_width + value * scale + 5, y + 14, shown(value), size=11))
            y += bar_height
        drawn.append(line(label_width, top, label_width, bottom, INK))
        drawn.append(text((label_width + width - number_width) / 2, bottom + 27, unit,
                          anchor="middle", size=11))
        y = bottom + 40
    return document(width, y, title, drawn)


def lines(title, series, x_label, y_label, log_x=False, log_y=False):
    """Lines with a mark at each point. A linear y-axis begins at zero; a logarithmic one says so."""
    width, height, left, right, top, bottom = 760, 400, 80, 190, 46, 340
    points = [point for drawn in series for point in drawn.points]
    x_values = [x for x, _ in points]
    highest = max((y for _, y in points), default=1)
    if log_y:
        y_ticks = log_ticks(min((y for _, y in points), default=1), highest)
    else:
        y_ticks = linear_ticks(highest)
    x_ticks = sorted(set(x_values)) if log_x else linear_ticks(max(x_values, default=1))
    place_x = placed(x_ticks[0], x_ticks[-1], left, width - right, log_x)
    place_y = placed(y_ticks[0], y_ticks[-1], bottom, top, log_y)

    drawn = [text(16, 26, title, size=16, weight="bold")]
    for tick in y_ticks:
        drawn.append(line(left, place_y(tick), width - right, place_y(tick), GRID))
        drawn.append(text(left - 6, place_y(tick) + 4, shown(tick), anchor="end", size=10))
    for tick in x_ticks:
        drawn.append(line(place_x(tick), bottom, place_x(tick), bottom + 4, INK))
        drawn.append(text(place_x(tick), bottom + 17, shown(tick), anchor="middle", size=10))
    drawn.append(line(left, bottom, width - right, bottom, INK))
    drawn.append(line(left, top, left, bottom, INK))
    drawn.append(text((left + width - right) / 2, bottom + 38, x_label + scale_name(log_x),
                      anchor="middle"))
    middle = (top + bottom) / 2
    drawn.append(text(20, middle, y_label + scale_name(log_y), anchor="middle",
                      rotate=f"rotate(-90 20 {middle:.1f})"))
    for number, (label, points, colour) in enumerate(series):
        path = " ".join(f"{place_x(x):.1f},{place_y(y):.1f}" for x, y in points)
        drawn.append(f"<polyline points='{path}' fill='none' stroke='{colour}' stroke-width='2'/>")
        if len(points) <= 12:
            drawn += [f"<circle cx='{place_x(x):.1f}' cy='{place_y(y):.1f}' r='3' fill='{colour}'/>"
                      for x, y in points]
        y = top + 6 + 18 * number
        drawn.append(f"<rect x='{width - right + 16}' y='{y}' width='12' height='12' fill='{colour}'/>")
        drawn.append(text(width - right + 34, y + 11, label))
    return document(width, height, title, drawn)


def scale_name(logarithmic):
    return " (logarithmic)" if logarithmic else ""


def placed(first, last, begin, end, logarithmic):
    """A function from values to places between `begin` and `end`."""
    measure = math.log10 if logarithmic else float
    span = (measure(last) - measure(first)) or 1
    return lambda value: begin + (measure(value) - measure(first)) / span * (end - begin)


def linear_ticks(highest):
    """From zero to `highest` or a little above, in about five round steps."""
    if highest <= 0:
        return [0, 1]
    rough = highest / 5
    magnitude = 10 ** math.floor(math.log10(rough))
    step = next(factor * magnitude for factor in (1, 2, 2.5, 5, 10) if factor * magnitude >= rough)
    return [round(step * number, 10) for number in range(math.ceil(highest / step - 1e-9) + 1)]


def log_ticks(lowest, highest):
    """The powers of ten around the values."""
    first = math.floor(math.log10(lowest))
    last = max(math.ceil(math.log10(highest)), first + 1)
    return [10 ** power for power in range(first, last + 1)]


def shown(value):
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.3g}"


def text(x, y, content, anchor="start", size=12, weight="normal", rotate=None):
    turned = f" transform='{rotate}'" if rotate else ""
    return (f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}' font-size='{size}' "
            f"font-weight='{weight}' fill='{INK}'{turned}>{escape(content)}</text>")


def line(x1, y1, x2, y2, colour):
    return f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}' stroke='{colour}'/>"


def document(width, height, title, drawn):
    head = (f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' "
            f"width='{width}' height='{height}' role='img' {FONT}>")
    return "\n".join([head, f"<title>{escape(title)}</title>",
                      "<rect width='100%' height='100%' fill='#ffffff'/>", *drawn, "</svg>"]) + "\n"
