//! HTTP/1.1 by hand, over one connection that is kept open: as little work a request as possible,
//! since the load generator shares its processor with the service.
//!
//! It reads the answers of this service: a status line, `Content-Length` or chunks, and nothing
//! else.

use std::io;
use std::net::SocketAddr;

use anyhow::{Context, bail};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Answers are some kilobytes; a page of a list is some ten.
const BUFFER: usize = 16 * 1024;

/// One connection.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
    body: (usize, usize),
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: vec![0; BUFFER],
            filled: 0,
            body: (0, 0),
        })
    }

    /// Sends a whole request and does not read its answer.
    pub(crate) async fn send(&mut self, request: &[u8]) -> io::Result<()> {
        self.stream.write_all(request).await
    }

    /// Sends a whole request and reads a whole answer with a `Content-Length`; returns its status.
    /// One request at a time.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> io::Result<u16> {
        self.stream.write_all(request).await?;
        self.filled = 0;
        let head = loop {
            self.fill().await?;
            if let Some(head) = self.head() {
                break head;
            }
        };
        let read = self.buffer.get(..head).unwrap_or_default();
        let status = status(read).ok_or_else(|| broken("no status line"))?;
        let length = header(read, b"content-length").and_then(number);
        let length = length.ok_or_else(|| broken("an answer without a length"))?;
        while self.filled < head + length {
            self.fill().await?;
        }
        self.body = (head, head + length);
        Ok(status)
    }

    /// The body of the last answer.
    pub(crate) fn body(&self) -> &[u8] {
        self.buffer.get(self.body.0..self.body.1).unwrap_or_default()
    }

    /// Whether the last answer is that of an earlier request with the same idempotency key.
    pub(crate) fn replayed(&self) -> bool {
        let head = self.buffer.get(..self.body.0).unwrap_or_default();
        header(head, b"idempotency-replayed").is_some_and(|value| value.trim_ascii() == b"true")
    }

    async fn fill(&mut self) -> io::Result<()> {
        if self.filled == self.buffer.len() {
            self.buffer.resize(self.filled * 2, 0);
        }
        let free = self.buffer.get_mut(self.filled..).unwrap_or_default();
        let read = self.stream.read(free).await?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.filled += read;
        Ok(())
    }

    /// The end of the head, if it has been read.
    fn head(&self) -> Option<usize> {
        let read = self.buffer.get(..self.filled)?;
        read.windows(4)
            .position(|four| four == b"\r\n\r\n")
            .map(|at| at + 4)
    }

    /// Sends a request and counts the bytes of its chunked body and the line ends in it, without
    /// keeping them.
    pub(crate) async fn stream(&mut self, request: &[u8]) -> io::Result<Streamed> {
        self.stream.write_all(request).await?;
        self.filled = 0;
        self.buffer.resize(self.buffer.len().max(256 * 1024), 0);
        let head = loop {
            self.fill().await?;
            if let Some(head) = self.head() {
                break head;
            }
        };
        let read = self.buffer.get(..head).unwrap_or_default();
        let status = status(read).ok_or_else(|| broken("no status line"))?;
        if header(read, b"transfer-encoding").is_none() {
            return Err(broken("an answer that is not in chunks"));
        }
        let mut chunks = Chunks::default();
        let mut from = head;
        loop {
            let read = self.buffer.get(from..self.filled).unwrap_or_default();
            if chunks
                .take(read)
                .ok_or_else(|| broken("a chunk without a size"))?
            {
                return Ok(Streamed {
                    status,
                    bytes: chunks.bytes,
                    lines: chunks.lines,
                });
            }
            (self.filled, from) = (0, 0);
            self.fill().await?;
        }
    }
}

/// The size of a streamed answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Streamed {
    pub(crate) status: u16,
    pub(crate) bytes: u64,
    pub(crate) lines: u64,
}

/// A chunked body, read as it comes.
#[derive(Debug, Default)]
struct Chunks {
    /// Bytes left of the current chunk, its line end included.
    left: usize,
    size: usize,
    digits: usize,
    ended: bool,
    bytes: u64,
    lines: u64,
}

impl Chunks {
    /// Whether the body has ended with these bytes; `None` when they are not chunks.
    fn take(&mut self, mut read: &[u8]) -> Option<bool> {
        while let Some((first, rest)) = read.split_first() {
            if self.left > 2 {
                let (data, rest) = read.split_at(read.len().min(self.left - 2));
                self.bytes += data.len() as u64;
                self.lines += data.iter().filter(|byte| **byte == b'\n').count() as u64;
                self.left -= data.len();
                read = rest;
                continue;
            }
            read = rest;
            if self.left > 0 {
                self.left -= 1;
                if self.left == 0 && self.ended {
                    return Some(true);
                }
                continue;
            }
            match first {
                b'\r' => {}
                b'\n' => {
                    if std::mem::take(&mut self.digits) == 0 {
                        return None;
                    }
                    self.ended = self.size == 0;
                    self.left = std::mem::take(&mut self.size) + 2;
                }
                digit => {
                    self.size = self.size * 16 + char::from(*digit).to_digit(16)? as usize;
                    self.digits += 1;
                }
            }
        }
        Some(false)
    }
}

fn status(head: &[u8]) -> Option<u16> {
    std::str::from_utf8(head.get(9..12)?).ok()?.parse().ok()
}

fn header<'a>(head: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let lines = head.split(|byte| *byte == b'\n').skip(1);
    let mut values = lines.filter_map(|line| {
        let (start, rest) = line.split_at_checked(name.len())?;
        start
            .eq_ignore_ascii_case(name)
            .then(|| rest.strip_prefix(b":"))
            .flatten()
    });
    values.next()
}

fn number(text: &[u8]) -> Option<usize> {
    std::str::from_utf8(text).ok()?.trim().parse().ok()
}

/// A client of the API, for calls that are not measured.
#[derive(Debug)]
pub(crate) struct Api {
    connection: Connection,
    keys: u64,
}

impl Api {
    pub(crate) async fn open(address: SocketAddr) -> io::Result<Self> {
        Ok(Self {
            connection: Connection::open(address).await?,
            keys: 0,
        })
    }

    /// An access token, and how many seconds it lasts.
    pub(crate) async fn token(&mut self, client: &Client) -> anyhow::Result<(String, u64)> {
        let form = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}",
            client.id, client.secret
        );
        let headers = "content-type: application/x-www-form-urlencoded\r\n";
        let answer = self.raw("POST", "/oauth/token", headers, form.as_bytes()).await?;
        let token = answer.get("access_token").and_then(Value::as_str);
        let lasts = answer.get("expires_in").and_then(Value::as_u64);
        Ok((token.context("no token")?.to_owned(), lasts.unwrap_or(60)))
    }

    pub(crate) async fn get(&mut self, path: &str, token: &str) -> anyhow::Result<Value> {
        self.raw("GET", path, &format!("authorization: Bearer {token}\r\n"), b"")
            .await
    }

    pub(crate) async fn post(&mut self, path: &str, token: &str, body: &Value) -> anyhow::Result<Value> {
        self.write("POST", path, token, body).await
    }

    pub(crate) async fn put(&mut self, path: &str, token: &str, body: &Value) -> anyhow::Result<Value> {
        self.write("PUT", path, token, body).await
    }

    async fn write(&mut self, method: &str, path: &str, token: &str, body: &Value) -> anyhow::Result<Value> {
        self.keys += 1;
        let headers = format!(
            "authorization: Bearer {token}\r\ncontent-type: application/json\r\nidempotency-key: bench-{path}-{}\r\n",
            self.keys
        );
        self.raw(method, path, &headers, body.to_string().as_bytes())
            .await
    }

    async fn raw(&mut self, method: &str, path: &str, headers: &str, body: &[u8]) -> anyhow::Result<Value> {
        let request = request(method, path, headers, body);
        let status = self
            .connection
            .exchange(&request)
            .await
            .with_context(|| path.to_owned())?;
        let answer = self.connection.body();
        if !(200..300).contains(&status) {
            bail!("{method} {path}: {status} {}", String::from_utf8_lossy(answer));
        }
        Ok(serde_json::from_slice(answer)?)
    }
}

/// A whole request; `headers` end with a line end each.
pub(crate) fn request(method: &str, path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\n{headers}content-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// Credentials.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) secret: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_counted_however_they_are_cut() {
        let body = b"6\r\na,b\nc\n\r\n10\r\n0123456789abcde\n\r\n0\r\n\r\n";
        for cut in 0..body.len() {
            let mut chunks = Chunks::default();
            let (first, second) = body.split_at(cut);
            let ended = chunks.take(first).unwrap() || chunks.take(second).unwrap();
            assert!(ended, "{cut}");
            assert_eq!((chunks.bytes, chunks.lines), (22, 3), "{cut}");
        }
    }

    #[test]
    fn heads_are_read() {
        let head = b"HTTP/1.1 201 Created\r\nContent-Length: 17\r\n\r\n";
        assert_eq!(status(head), Some(201));
        assert_eq!(header(head, b"content-length").and_then(number), Some(17));
        assert_eq!(header(head, b"etag"), None);
    }
}
