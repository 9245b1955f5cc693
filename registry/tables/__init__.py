"""A file of any kind that organs send, as one thing: rows of text cells, with what was found out about the file on the way.

Separated text, gzip archives, both generations of Excel workbooks and JSON are read; what a file is decides its content,
never its name. Everything is measured against limits before it is unpacked.
"""

from registry.tables.base import Limits, Table
from registry.tables.opening import look_at, rows, sheet

__all__ = ["Limits", "Table", "look_at", "rows", "sheet"]
