"""Reads one sheet of a workbook in a process of its own: a reader that is led astray by a damaged file may end that process,
or ask for more memory than it gets, and nobody else notices. Started by `workbook.py`; imports nothing of the registry.

    python apart.py MEMORY [SHEET] < workbook    one line of JSON (names of the sheets), then the sheet as Arrow IPC
"""

import json
import resource
import sys

FAULT = 3
MIDNIGHT = "^([0-9]{4}-[0-9]{2}-[0-9]{2}) 00:00:00$"


def main(arguments: list[str]) -> int:
    """Write the names of the sheets and the cells of one (the first, where none is named) to standard output."""
    memory = int(arguments[0])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import fastexcel
    import polars as pl

    try:
        reader = fastexcel.read_excel(sys.stdin.buffer.read())
        names = list(reader.sheet_names)
        frame = pl.DataFrame()
        if names:
            # Without `skip_rows` the reader begins at the first cell that is filled, and rows would be misnumbered.
            sheet = reader.load_sheet(
                arguments[1] if len(arguments) > 1 else names[0], header_row=None, skip_rows=0, dtypes="string"
            )
            frame = sheet.to_polars()
        if frame.width:
            frame = frame.select(pl.all().str.replace(MIDNIGHT, "${1}").fill_null(""))
    except BaseException as error:  # a panic of the reader is no Exception
        sys.stderr.write("\n" + json.dumps(str(error).splitlines()[:1] or [type(error).__name__]))
        return FAULT
    sys.stdout.buffer.write(json.dumps(names).encode() + b"\n")
    frame.write_ipc_stream(sys.stdout.buffer)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
