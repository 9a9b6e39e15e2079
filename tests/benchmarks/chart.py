"""Bar charts as SVG for light and dark pages, without a library."""

import re
from html import escape

from tests.benchmarks.rounds import Samples

WIDTH, LEFT, RIGHT, BAR, STEP, TOP = 860, 300, 190, 18, 30, 46
STYLE = """
    text { font: 13px system-ui, sans-serif; fill: #1f2328; }
    .title { font-weight: 600; font-size: 15px; }
    .bar { fill: #4878b0; } .first { fill: #c05a1e; } .spread { stroke: #1f2328; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3; } .bar { fill: #6f9fd8; } .first { fill: #e8894a; } .spread { stroke: #e6edf3; }
    }
"""


def file_name(title: str) -> str:
    """Return the file name of a title: "Deposit on SQLite, one client" is deposit-on-sqlite-one-client."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def bars(title: str, samples: Samples) -> str:
    """Return a chart of the contenders' figures relative to the first, with the range as a line."""
    first = next(iter(samples.figures))
    ratios = {name: samples.ratio(name, first) for name in samples.figures}
    longest = max((ratio.most for ratio in ratios.values()), default=1)
    scale = (WIDTH - LEFT - RIGHT) / longest
    height = TOP + STEP * len(ratios) + 10
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{escape(title)}</title><style>{STYLE}</style>",
        f'<text class="title" x="10" y="24">{escape(title)}: {escape(first)} is 1</text>',
    ]
    for number, (name, ratio) in enumerate(ratios.items()):
        y = TOP + STEP * number
        middle, right = y + BAR / 2, LEFT + ratio.most * scale
        lines += [
            f'<text x="{LEFT - 8}" y="{y + 14}" text-anchor="end">{escape(name)}</text>',
            f'<rect class="{"bar" if number else "first"}" x="{LEFT}" y="{y}" width="{ratio.median * scale:.1f}" '
            f'height="{BAR}" rx="2"/>',
            f'<path class="spread" d="M{LEFT + ratio.least * scale:.1f} {middle}H{right:.1f}"/>',
            f'<text x="{right + 8:.1f}" y="{y + 14}">{ratio.median:.2f}</text>',
        ]
    return "\n".join([*lines, "</svg>", ""])
