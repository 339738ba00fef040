"""What a benchmark prints: a table in Markdown, and the same figures as JSON in a file."""

import json
import os
import platform
import time
from pathlib import Path
from statistics import median


def middle(values):
    return median(values) if values else float("nan")


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def number(value):
    """With three digits that count."""
    if isinstance(value, str):
        return value
    if value != value:
        return "-"
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def table(head, rows):
    cells = [head, *[[number(cell) for cell in row] for row in rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in cells]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def machine():
    """What the figures depend on. A load near the count of cores or above means: trust the ratios alone."""
    return {"cores": os.cpu_count(), "machine": platform.machine(), "load": os.getloadavg()[0],
            "date": time.strftime("%Y-%m-%d %H:%M", time.gmtime())}


def write_json(file, figures):
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    Path(file).write_text(json.dumps(figures, indent=1) + "\n")
