"""Lines over two logarithmic axes, as SVG."""

import math
from dataclasses import dataclass

WIDTH, HEIGHT = 640, 360
LEFT, RIGHT, TOP, BOTTOM = 64, 170, 16, 48
COLOURS = ["#c0392b", "#2471a3", "#1e8449", "#7d3c98"]


@dataclass
class Line:
    name: str
    points: list  # of [x, y], both above 0


class Axis:
    """Maps values to pixels; has ticks at powers of `base`."""

    def __init__(self, values, base, pixels):
        self._low = math.floor(math.log(min(values), base) + 1e-9)
        self._high = max(math.ceil(math.log(max(values), base) - 1e-9), self._low + 1)
        self._base, self._pixels = base, pixels

    def at(self, value):
        begin, end = self._pixels
        share = (math.log(value, self._base) - self._low) / (self._high - self._low)
        return round(begin + share * (end - begin), 1)

    def ticks(self):
        return [self._base ** exponent for exponent in range(self._low, self._high + 1)]


def _text(x, y, text, anchor="middle", extra=""):
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" {extra}>{text}</text>'


def plot(lines, x_title, y_title):
    across = Axis([x for line in lines for x, _ in line.points], 2, (LEFT, WIDTH - RIGHT))
    up = Axis([y for line in lines for _, y in line.points], 10, (HEIGHT - BOTTOM, TOP))
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
             'font-size="12">', f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>']
    for tick in across.ticks():
        x = across.at(tick)
        parts.append(f'<path d="M{x} {TOP}V{HEIGHT - BOTTOM}" stroke="#ddd"/>')
        parts.append(_text(x, HEIGHT - BOTTOM + 16, f"{tick:g}"))
    for tick in up.ticks():
        y = up.at(tick)
        parts.append(f'<path d="M{LEFT} {y}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        parts.append(_text(LEFT - 6, y + 4, f"{tick:g}", "end"))
    for line, colour in zip(lines, COLOURS):
        points = " ".join(f"{across.at(x)},{up.at(y)}" for x, y in line.points)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        x, y = line.points[-1]
        parts.append(_text(WIDTH - RIGHT + 8, up.at(y) + 4, line.name, "start", f'fill="{colour}"'))
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, x_title))
    middle = (TOP + HEIGHT - BOTTOM) / 2
    parts.append(_text(14, middle, y_title, extra=f'transform="rotate(-90 14 {middle})"'))
    return "\n".join([*parts, "</svg>", ""])
