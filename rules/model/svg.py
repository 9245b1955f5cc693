"""A few shapes of SVG as text, and a plot with two labelled axes. Presentation attributes only: no style, no script."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

INK, SOFT, LINE, PAPER = "#1b1f24", "#555c66", "#dfe3e8", "#ffffff"
FONT = "Noto Sans CJK SC, Source Han Sans SC, PingFang SC, Microsoft YaHei, Helvetica, Arial, sans-serif"


def text(
    x: float, y: float, words: str, *, size: float = 13, colour: str = INK, anchor: str = "start", weight: int = 400, turn: int = 0
) -> str:  # fmt: skip
    """One line of text; ``turn`` degrees about its own place."""
    turned = f' transform="rotate({turn} {x:.1f} {y:.1f})"' if turn else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" fill="{colour}" font-weight="{weight}" '
        f'text-anchor="{anchor}"{turned}>{escape(words)}</text>'
    )


def line(
    x1: float, y1: float, x2: float, y2: float, *, colour: str = LINE, width: float = 1, dash: str = ""
) -> str:  # fmt: skip
    """A straight line; ``dash`` as SVG writes it."""
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width:g}"{dashed}/>'


def path(points: Iterable[tuple[float, float]], *, colour: str, width: float = 2, dash: str = "") -> str:
    """A line through points."""
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    through = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{through}" fill="none" stroke="{colour}" stroke-width="{width:g}" stroke-linejoin="round"{dashed}/>'


def box(x: float, y: float, width: float, height: float, *, fill: str, radius: float = 0) -> str:
    """A filled rectangle."""
    corner = f' rx="{radius:g}"' if radius else ""
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{max(height, 0):.1f}" fill="{fill}"{corner}/>'


def dot(x: float, y: float, radius: float, *, fill: str, edge: str = PAPER) -> str:
    """A filled circle with a thin edge."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="{fill}" stroke="{edge}" stroke-width="1.5"/>'


def picture(width: int, height: int, zh: str, en: str, shapes: Iterable[str]) -> str:
    """A whole SVG file with its heading; the title is also what a reader without the picture is told."""
    head = [text(24, 32, zh, size=18, weight=700), text(24, 52, en, size=13, colour=SOFT)]
    body = "\n".join([box(0, 0, width, height, fill=PAPER), *head, *shapes])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'font-family="{FONT}">\n<title>{escape(f"{zh} {en}")}</title>\n{body}\n</svg>\n'
    )


@dataclass(frozen=True, slots=True)
class Plot:
    """A rectangle of the picture in which numbers have places; the y axis points up."""

    left: float
    top: float
    width: float
    height: float
    low: tuple[float, float]
    high: tuple[float, float]

    def x(self, value: float) -> float:
        return self.left + self.width * (value - self.low[0]) / (self.high[0] - self.low[0])

    def y(self, value: float) -> float:
        return self.top + self.height * (1 - (value - self.low[1]) / (self.high[1] - self.low[1]))

    def across(self, ticks: Sequence[float], label: Callable[[float], str], zh: str, en: str) -> list[str]:
        """Grid lines, numbers and name of the x axis."""
        bottom = self.top + self.height
        shapes = [line(self.x(tick), self.top, self.x(tick), bottom) for tick in ticks]
        shapes += [
            text(self.x(tick), bottom + 18, label(tick), size=12, colour=SOFT, anchor="middle") for tick in ticks
        ]
        middle = self.left + self.width / 2
        return [*shapes, text(middle, bottom + 40, zh, anchor="middle"), text(middle, bottom + 57, en, size=12, colour=SOFT, anchor="middle")]  # fmt: skip

    def up(self, ticks: Sequence[float], label: Callable[[float], str], zh: str, en: str) -> list[str]:
        """Grid lines, numbers and name of the y axis."""
        shapes = [line(self.left, self.y(tick), self.left + self.width, self.y(tick)) for tick in ticks]
        shapes += [
            text(self.left - 8, self.y(tick) + 4, label(tick), size=12, colour=SOFT, anchor="end") for tick in ticks
        ]
        middle = self.top + self.height / 2
        return [
            *shapes, text(self.left - 62, middle, zh, anchor="middle", turn=-90),
            text(self.left - 46, middle, en, size=12, colour=SOFT, anchor="middle", turn=-90),
        ]  # fmt: skip

    def frame(self) -> list[str]:
        """The two axes themselves, to be drawn last."""
        bottom = self.top + self.height
        return [
            line(self.left, bottom, self.left + self.width, bottom, colour=SOFT),
            line(self.left, self.top, self.left, bottom, colour=SOFT),
        ]


def percent(value: float) -> str:
    """A share as a percentage with as many digits as it needs."""
    return f"{round(100 * value, 2):g}%"


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers from at most ``low`` to at least ``high``, some ``about`` of them."""
    raw = (high - low) / about
    scale = 10.0 ** floor(log10(raw))
    step = next(scale * one for one in (1, 2, 2.5, 5, 10) if scale * one >= raw * 0.999)
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return [round(step * number, 10) for number in range(first, last + 1)]
