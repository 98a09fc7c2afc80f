"""Writes otava-0.8.json: what Apache Otava itself finds in the series that otava-series.ts prints.

python3 -m venv /tmp/otava && /tmp/otava/bin/pip install apache-otava==0.8.0
node loadtests/test/history/otava-series.ts | /tmp/otava/bin/python loadtests/test/history/ask-otava.py
"""

import json
import pathlib
import sys

from otava.analysis import compute_change_points

found = [
    [[int(point.index), float(f"{point.stats.pvalue:.10g}")] for point in compute_change_points(series)[0]]
    for series in json.load(sys.stdin)
]
lines = ",\n".join("  " + json.dumps(points) for points in found)
pathlib.Path(__file__).with_name("otava-0.8.json").write_text(f"[\n{lines}\n]\n")
