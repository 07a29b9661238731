//! Parquet: money as DECIMAL, instants as TIMESTAMP of microseconds in UTC, zstd.
//!
//! A row group is written as soon as it is full, so that memory is one row group; only where each begins is kept for the end.

use std::marker::PhantomData;
use std::sync::Arc;

use chrono::NaiveDate;
use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{Type, TypePtr};

use super::pages::File;
use super::sink::Sink;
use super::table::{Cell, Column, Kind, Row, Words};
use crate::operation::ServiceError;

/// Rows of a row group: enough that its columns are worth compressing, few enough to be held.
const GROUP: usize = 50_000;

/// Digits of a sum of money: more than any amount has, so that sums fit, and still an INT64.
const DIGITS: i32 = 18;

pub(super) struct Parquet<R, const N: usize> {
    writer: SerializedFileWriter<Sink>,
    sink: Sink,
    columns: [Values; N],
    rows: usize,
    kind: PhantomData<fn(R)>,
}

/// A column of the row group that is being gathered. A column that may be empty says of each row whether it is not.
struct Values {
    optional: bool,
    there: Vec<i16>,
    values: Typed,
}

enum Typed {
    Text(Vec<ByteArray>),
    Long(Vec<i64>),
    Day(Vec<i32>),
}

impl<R: Row<N>, const N: usize> Parquet<R, N> {
    pub(super) fn new() -> Result<Self, ServiceError> {
        let sink = Sink::default();
        let level = ZstdLevel::try_new(3)?;
        let properties = WriterProperties::builder()
            .set_created_by("huanxin".into())
            .set_compression(Compression::ZSTD(level))
            .build();
        let schema = schema::<R, N>()?;
        let writer = SerializedFileWriter::new(sink.clone(), schema, Arc::new(properties));
        Ok(Self {
            writer: writer?,
            sink,
            columns: R::COLUMNS.map(Values::of),
            rows: 0,
            kind: PhantomData,
        })
    }

    fn add(&mut self, row: &R) -> Result<(), ServiceError> {
        for (column, cell) in self.columns.iter_mut().zip(row.cells(Words::Machine)?) {
            column.push(cell)?;
        }
        self.rows = self.rows.saturating_add(1);
        Ok(())
    }

    fn end_group(&mut self) -> Result<(), ParquetError> {
        let mut group = self.writer.next_row_group()?;
        for column in &mut self.columns {
            let mut writer = group
                .next_column()?
                .ok_or_else(|| ParquetError::General("a column is missing".into()))?;
            let there = column.optional.then_some(column.there.as_slice());
            match &column.values {
                Typed::Text(values) => writer.typed::<ByteArrayType>().write_batch(values, there, None)?,
                Typed::Long(values) => writer.typed::<Int64Type>().write_batch(values, there, None)?,
                Typed::Day(values) => writer.typed::<Int32Type>().write_batch(values, there, None)?,
            };
            writer.close()?;
            column.clear();
        }
        group.close()?;
        self.rows = 0;
        Ok(())
    }
}

impl<R: Row<N>, const N: usize> File<R> for Parquet<R, N> {
    fn is_slow(&self) -> bool {
        true
    }

    fn write(&mut self, rows: &[R], last: bool) -> Result<Vec<u8>, ServiceError> {
        for row in rows {
            self.add(row)?;
            if self.rows >= GROUP {
                self.end_group()?;
            }
        }
        if last {
            if self.rows > 0 {
                self.end_group()?;
            }
            self.writer.finish()?;
        }
        self.writer.flush()?;
        Ok(self.sink.take())
    }
}

impl Values {
    fn of(column: Column) -> Self {
        Self {
            optional: column.optional,
            there: Vec::new(),
            values: match column.kind {
                Kind::Text => Typed::Text(Vec::new()),
                Kind::Whole | Kind::Money | Kind::Instant => Typed::Long(Vec::new()),
                Kind::Day => Typed::Day(Vec::new()),
            },
        }
    }

    fn push(&mut self, cell: Cell<'_>) -> Result<(), ServiceError> {
        if self.optional {
            self.there.push(i16::from(cell != Cell::Nothing));
        }
        match (&mut self.values, cell) {
            (_, Cell::Nothing) if self.optional => {}
            (Typed::Text(values), cell @ (Cell::Text(_) | Cell::Written(_) | Cell::Id(..))) => {
                values.push(ByteArray::from(cell.to_string().into_bytes()));
            }
            (Typed::Long(values), Cell::Whole(number)) => values.push(number),
            (Typed::Long(values), Cell::Money(amount)) => values.push(amount.get()),
            (Typed::Long(values), Cell::Instant(at)) => values.push(at.timestamp_micros()),
            (Typed::Day(values), Cell::Day(day)) => {
                let days = day.signed_duration_since(NaiveDate::default()).num_days();
                values.push(i32::try_from(days)?);
            }
            _ => return Err(ServiceError::bug("a cell is not of its column's kind")),
        }
        Ok(())
    }

    fn clear(&mut self) {
        self.there.clear();
        match &mut self.values {
            Typed::Text(values) => values.clear(),
            Typed::Long(values) => values.clear(),
            Typed::Day(values) => values.clear(),
        }
    }
}

fn schema<R: Row<N>, const N: usize>() -> Result<TypePtr, ParquetError> {
    let fields = R::COLUMNS.iter().map(field).collect::<Result<Vec<_>, _>>()?;
    let schema = Type::group_type_builder("huanxin").with_fields(fields).build()?;
    Ok(Arc::new(schema))
}

fn field(column: &Column) -> Result<TypePtr, ParquetError> {
    let (physical, logical) = match column.kind {
        Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        Kind::Whole => (Physical::INT64, None),
        Kind::Money => (Physical::INT64, Some(LogicalType::decimal(2, DIGITS))),
        Kind::Instant => (
            Physical::INT64,
            Some(LogicalType::timestamp(true, TimeUnit::MICROS)),
        ),
        Kind::Day => (Physical::INT32, Some(LogicalType::Date)),
    };
    let mut field = Type::primitive_type_builder(column.en, physical)
        .with_logical_type(logical)
        .with_repetition(if column.optional {
            Repetition::OPTIONAL
        } else {
            Repetition::REQUIRED
        });
    if column.kind == Kind::Money {
        field = field.with_scale(2).with_precision(DIGITS);
    }
    Ok(Arc::new(field.build()?))
}
