//! `huanxin health`: asks the service on this machine whether it is ready, for the health check of
//! a container, which has no other HTTP client in it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Shorter than the interval between two checks.
const PATIENCE: Duration = Duration::from_secs(4);

/// Why `huanxin health` exits with 1.
#[derive(Debug, thiserror::Error)]
pub enum HealthError {
    #[error("{address} cannot be asked")]
    Unreachable {
        address: SocketAddr,
        source: std::io::Error,
    },
    #[error("{address} did not answer within {} s", PATIENCE.as_secs())]
    Slow { address: SocketAddr },
    #[error("{address} answered {line:?}")]
    NotReady { address: SocketAddr, line: String },
}

/// Requests `/readyz` where the service listens, on the loopback if it listens on an unspecified
/// address (0.0.0.0, [::]).
///
/// # Errors
/// If the answer is not 200.
pub async fn check(listen: SocketAddr) -> Result<(), HealthError> {
    let address = loopback(listen);
    let unreachable = |source| HealthError::Unreachable { address, source };
    let line = match tokio::time::timeout(PATIENCE, status_line(address)).await {
        Ok(line) => line.map_err(unreachable)?,
        Err(_) => return Err(HealthError::Slow { address }),
    };
    match line.split(' ').nth(1) {
        Some("200") => Ok(()),
        _ => Err(HealthError::NotReady { address, line }),
    }
}

fn loopback(listen: SocketAddr) -> SocketAddr {
    let address = match listen.ip() {
        IpAddr::V4(address) if address.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(address) if address.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        address => address,
    };
    SocketAddr::new(address, listen.port())
}

async fn status_line(address: SocketAddr) -> std::io::Result<String> {
    /// Longer than any status line.
    const BYTES: u64 = 256;
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(BYTES).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer)
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned())
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// A server that answers one request with `answer`.
    async fn answering(answer: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            // All bytes of the request: closing with some unread would reset the connection.
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(stream.read_u8().await.unwrap());
            }
            assert!(request.starts_with(b"GET /readyz HTTP/1.1\r\n"));
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        address
    }

    #[tokio::test]
    async fn ready_is_200_and_nothing_else() {
        let ready = answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        check(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), ready.port()))
            .await
            .unwrap();

        let starting = answering("HTTP/1.1 503 Service Unavailable\r\n\r\n").await;
        let error = check(starting).await.unwrap_err();
        assert!(error.to_string().contains("503"), "{error}");

        let gone = TcpListener::bind("127.0.0.1:0")
            .await
            .unwrap()
            .local_addr()
            .unwrap();
        assert!(matches!(check(gone).await, Err(HealthError::Unreachable { .. })));
    }
}
