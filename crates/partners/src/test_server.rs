//! A server with the faults that servers have: one act for each connection, in order, the last for
//! ever.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

/// What the server does when a request has come whole.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// Sends these bytes, and ends the connection.
    Say(String),
    /// A reset instead of an answer. Over TLS the connection just ends.
    Reset,
    /// Resets the connection before the request was read.
    ResetUnread,
    /// Sends nothing, until the client leaves.
    Silence,
    /// Sends these bytes, and nothing more until the client leaves.
    SayAndHang(String),
    /// Sends these bytes, and then an endless body.
    SayWithoutEnd(String),
}

/// An answer with a body of a media type.
pub(crate) fn answer(code: u16, kind: &str, body: &str) -> Act {
    let length = body.len();
    Act::Say(format!(
        "HTTP/1.1 {code} X\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    ))
}

/// A request as received.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn line(&self) -> &str {
        self.head.lines().next().unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

#[derive(Debug, Clone)]
pub(crate) struct TestServer {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    written: Arc<Mutex<usize>>,
}

impl TestServer {
    pub(crate) async fn start(acts: impl IntoIterator<Item = Act>) -> Self {
        Self::serve(None, acts).await
    }

    pub(crate) async fn start_tls(tls: ServerConfig, acts: impl IntoIterator<Item = Act>) -> Self {
        Self::serve(Some(TlsAcceptor::from(Arc::new(tls))), acts).await
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// Bytes of endless bodies that were written before their clients left.
    pub(crate) fn written(&self) -> usize {
        *self.written.lock().unwrap()
    }

    async fn serve(tls: Option<TlsAcceptor>, acts: impl IntoIterator<Item = Act>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            received: Arc::default(),
            written: Arc::default(),
        };
        let mut acts = acts.into_iter().collect::<Vec<_>>();
        acts.reverse();
        let this = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let act = match acts.len() {
                    1 => acts[0].clone(),
                    _ => acts.pop().unwrap(),
                };
                tokio::spawn(this.clone().connection(stream, tls.clone(), act));
            }
        });
        server
    }

    async fn connection(self, mut stream: TcpStream, tls: Option<TlsAcceptor>, act: Act) {
        match (tls, act) {
            (_, Act::ResetUnread) => reset(&stream),
            (None, Act::Reset) => {
                self.receive(&mut stream).await;
                reset(&stream);
            }
            (None, act) => self.play(stream, act).await,
            (Some(tls), act) => match tls.accept(stream).into_fallible().await {
                Ok(stream) => self.play(stream, act).await,
                Err((_, mut stream)) => {
                    // With what the client sent left unread the connection would be reset, perhaps
                    // before the client has read the alert.
                    let _ = stream.shutdown().await;
                    let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
                }
            },
        }
    }

    async fn play(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin, act: Act) {
        if !self.receive(&mut stream).await {
            return;
        }
        match act {
            Act::Reset | Act::ResetUnread => {}
            Act::Silence => leave(stream).await,
            Act::Say(text) => {
                let _ = stream.write_all(text.as_bytes()).await;
                let _ = stream.shutdown().await;
                leave(stream).await;
            }
            Act::SayAndHang(text) => {
                let _ = stream.write_all(text.as_bytes()).await;
                let _ = stream.flush().await;
                leave(stream).await;
            }
            Act::SayWithoutEnd(text) => {
                let _ = stream.write_all(text.as_bytes()).await;
                while stream.write_all(&[b'x'; 16 * 1024]).await.is_ok() {
                    *self.written.lock().unwrap() += 16 * 1024;
                }
            }
        }
    }

    /// Reads a request with a content-length; whether one came.
    async fn receive(&self, stream: &mut (impl AsyncRead + Unpin)) -> bool {
        let mut bytes = Vec::new();
        loop {
            let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
            if let Some(end) = end {
                let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
                let mut received = Received {
                    head,
                    body: bytes[end + 4..].to_vec(),
                };
                let length = received
                    .header("content-length")
                    .map_or(0, |it| it.parse().unwrap());
                let came = received.body.len();
                received.body.resize(length, 0);
                if stream.read_exact(&mut received.body[came..]).await.is_err() {
                    return false;
                }
                self.received.lock().unwrap().push(received);
                return true;
            }
            match stream.read_buf(&mut bytes).await {
                Ok(0) | Err(_) => return false,
                Ok(_) => {}
            }
        }
    }
}

/// Ends the connection with RST when it is dropped.
fn reset(stream: &TcpStream) {
    stream.set_zero_linger().unwrap();
}

/// Waits until the client has left.
async fn leave(mut stream: impl AsyncRead + Unpin) {
    let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
}
