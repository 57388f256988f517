"""What is known, for other programs: tables, feeds, a calendar, and the codes of others. Reads no table itself."""

from monitor.report.calendar import Closing, closing, to_ical
from monitor.report.crosswalk import CAPITAL_IQ, Codes, codes
from monitor.report.feeds import choose, to_atom, to_json_feed
from monitor.report.tables import COLUMNS, as_json, frame, row, to_csv, to_json_lines, to_parquet

__all__ = [
    "CAPITAL_IQ",
    "COLUMNS",
    "Closing",
    "Codes",
    "as_json",
    "choose",
    "closing",
    "codes",
    "frame",
    "row",
    "to_atom",
    "to_csv",
    "to_ical",
    "to_json_feed",
    "to_json_lines",
    "to_parquet",
]
