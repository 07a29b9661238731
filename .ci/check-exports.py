"""Opens exports with openpyxl, pyarrow and LibreOffice, and compares them with the CSV. See check-exports."""

import csv
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

SHANGHAI = timezone(timedelta(hours=8))


def must(holds, what):
    if not holds:
        sys.exit(f"check-exports: {what}")


def rows_of(path):
    with open(path, newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def parquet(name, directory, rows):
    file = pq.ParquetFile(directory / f"{name}.parquet")
    table = file.read()
    must(table.column_names == list(rows[0]), f"{name}.parquet has other columns")
    kinds = {field.name: field.type for field in table.schema}
    must(kinds["amount"] == pa.decimal128(18, 2), f"{name}.parquet: money is {kinds['amount']}")
    instants = [column for column, kind in kinds.items() if kind == pa.timestamp("us", tz="UTC")]
    must(instants, f"{name}.parquet has no instants")
    group = file.metadata.row_group(0)
    must(all(group.column(i).compression == "ZSTD" for i in range(group.num_columns)), f"{name}.parquet is not zstd")
    must(table.num_rows == len(rows), f"{name}.parquet has {table.num_rows} rows, the CSV {len(rows)}")
    for read, line in zip(table.to_pylist(), rows):
        for column, value in read.items():
            text = line[column]
            if value is None:
                same = text == ""
            elif column in instants:
                same = datetime.fromisoformat(text) == value
            elif isinstance(value, (date, int)):
                same = text == str(value)
            else:
                # The CSV keeps spreadsheets from carrying out what looks like a formula.
                same = text.removeprefix("\t") == str(value)
            must(same, f"{name}.parquet differs in {column}")


def amounts(rows):
    return sum((Decimal(line["amount"]) for line in rows if line["amount"]), Decimal(0))


def workbook(name, directory, rows):
    path = directory / f"{name}.xlsx"
    book = openpyxl.load_workbook(path, data_only=True)
    formulas = openpyxl.load_workbook(path)
    summary, sheets = book.worksheets[0], book.worksheets[1:]
    must(len(sheets) == 1, f"{name}.xlsx has {len(sheets)} sheets")
    sheet = sheets[0]
    must(sheet.freeze_panes == "A2", f"{name}.xlsx: its heading is not frozen")
    heading, *lines, total = sheet.iter_rows()
    columns = [cell.value for cell in heading]
    must(columns == list(rows[0]), f"{name}.xlsx has other columns")
    must(len(lines) == len(rows), f"{name}.xlsx has {len(lines)} rows, the CSV {len(rows)}")
    for cells, line in zip(lines, rows):
        for cell, column in zip(cells, columns):
            value, text = cell.value, line[column]
            if value is None:
                same = text == ""
            elif column == "amount":
                same = Decimal(str(value)) == Decimal(text) and cell.number_format == "#,##0.00"
            elif isinstance(value, datetime) and len(text) == 10:
                same = value.date().isoformat() == text
            elif isinstance(value, datetime):
                away = datetime.fromisoformat(text) - value.replace(tzinfo=SHANGHAI)
                same = abs(away) <= timedelta(milliseconds=1)
            else:
                same = text.removeprefix("\t") == str(value)
            must(same, f"{name}.xlsx differs in {column}")
    at = columns.index("amount")
    must(Decimal(str(total[at].value)) == amounts(rows), f"{name}.xlsx: the total is {total[at].value}")
    must(Decimal(str(summary["C2"].value)) == amounts(rows), f"{name}.xlsx: the summary's total is {summary['C2'].value}")
    must(summary["B2"].value == len(rows), f"{name}.xlsx: the summary counts {summary['B2'].value}")
    written = formulas.worksheets[1].cell(row=total[at].row, column=at + 1).value
    must(written.startswith("=SUM("), f"{name}.xlsx: the total is no formula: {written}")
    return {cell.coordinate: cell.value for row in summary.iter_rows() for cell in row if cell.value is not None}


def libreoffice(name, directory, expected):
    """Takes the results of all formulas out and has LibreOffice compute them."""
    blank = Path(tempfile.mkdtemp(dir=directory))
    with zipfile.ZipFile(directory / f"{name}.xlsx") as old, zipfile.ZipFile(blank / f"{name}.xlsx", "w") as new:
        for item in old.namelist():
            part = old.read(item).decode()
            new.writestr(item, re.sub(r"(</f>)<v>[^<]*</v>", r"\1", part))
    form = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,false,false,false,-1"
    subprocess.run(
        ["soffice", f"-env:UserInstallation=file://{blank}/profile", "--headless", "--convert-to", form, "--outdir", blank]
        + [blank / f"{name}.xlsx"],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=240,
    )
    with open(blank / f"{name}-Summary.csv", newline="", encoding="utf-8") as file:
        computed = {
            f"{'ABCDEFGH'[j]}{i}": value for i, line in enumerate(csv.reader(file), 1) for j, value in enumerate(line) if value
        }
    must(computed.keys() == expected.keys(), f"LibreOffice has other cells of {name}.xlsx: {computed.keys() ^ expected.keys()}")
    for cell, value in expected.items():
        same = computed[cell] == str(value) if isinstance(value, str) else Decimal(computed[cell]) == Decimal(str(value))
        must(same, f"LibreOffice computes {computed[cell]} in {cell} of {name}.xlsx, not {value}")
    return len(expected)


def main():
    directory = Path(sys.argv[1])
    for name in ("ledger", "claims"):
        rows = rows_of(directory / f"{name}.csv")
        parquet(name, directory, rows)
        summary = workbook(name, directory, rows)
        said = f"{name}: {len(rows)} rows, {amounts(rows)} yuan in CSV, Parquet and XLSX"
        if shutil.which("soffice"):
            said += f"; LibreOffice computes the same {libreoffice(name, directory, summary)} cells"
        else:
            said += "; LibreOffice is not installed"
        print(said)


main()
