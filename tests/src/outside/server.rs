//! An HTTP server that handles each whole request by a closure: it answers, resets, or is silent.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// A request as it came.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) path: String,
    head: String,
    pub(super) body: Vec<u8>,
}

impl Asked {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

/// The server's act.
#[derive(Debug, Clone)]
pub(super) enum Act {
    Answer(u16, &'static str, Vec<u8>),
    /// The connection is reset.
    Reset,
    /// No answer, until the client leaves.
    Silence,
}

impl Act {
    pub(super) fn status(status: u16) -> Self {
        Self::Answer(status, "text/plain", Vec::new())
    }
}

pub(super) struct Server {
    pub(super) address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    came: Arc<Notify>,
}

impl Server {
    pub(super) async fn start(act: impl Fn(&Asked) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            asked: Arc::default(),
            came: Arc::default(),
        };
        let (asked, came, act) = (server.asked.clone(), server.came.clone(), Arc::new(act));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (asked, came, act) = (asked.clone(), came.clone(), act.clone());
                tokio::spawn(async move {
                    let mut stream = stream;
                    let Some(request) = receive(&mut stream).await else {
                        return;
                    };
                    asked.lock().unwrap().push(request.clone());
                    let act = act(&request);
                    came.notify_one();
                    play(stream, act).await;
                });
            }
        });
        server
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Waits until a request has come since the last wait.
    pub(super) async fn came(&self) {
        self.came.notified().await;
    }
}

async fn play(mut stream: TcpStream, act: Act) {
    match act {
        Act::Answer(status, kind, body) => {
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
            );
            let _ = stream.write_all(&[head.as_bytes(), &body].concat()).await;
            let _ = stream.shutdown().await;
            let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
        }
        Act::Reset => stream.set_zero_linger().unwrap(),
        Act::Silence => {
            let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
        }
    }
}

async fn receive(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
    let mut parts = head.lines().next()?.split(' ');
    let mut asked = Asked {
        method: parts.next()?.to_owned(),
        path: parts.next()?.to_owned(),
        body: bytes[end + 4..].to_vec(),
        head: head.clone(),
    };
    let length = asked.header("content-length").map_or(0, |it| it.parse().unwrap());
    let came = asked.body.len();
    asked.body.resize(length, 0);
    stream.read_exact(&mut asked.body[came..]).await.ok()?;
    Some(asked)
}
