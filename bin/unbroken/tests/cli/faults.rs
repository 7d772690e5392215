//! A line between client and server that breaks as it is told: what goes wrong between two machines that are
//! both well.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What happens to one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// The connection is reset in the middle of the body.
    Reset,
    /// The body ends before its announced length, and the connection with it.
    Short,
    /// One byte of the body is another.
    OtherByte,
    /// Half of the body, and then nothing.
    Stall,
    /// 403 instead of the answer, and no word more.
    Denied,
    /// 500 instead of the answer.
    Failed,
    /// 503 instead, with the seconds to wait.
    SlowDown(u64),
    /// Nothing at all.
    Silent,
}

/// What becomes of the request of this number and first line.
type Fate = dyn Fn(u64, &str) -> Option<Broken> + Send + Sync;

/// Stands in front of `endpoint`; gives its own.
pub(crate) fn line_to(
    endpoint: &str,
    fate: impl Fn(u64, &str) -> Option<Broken> + Send + Sync + 'static,
) -> String {
    let server = endpoint.strip_prefix("http://").unwrap().to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (fate, number): (Arc<Fate>, _) = (Arc::new(fate), Arc::new(AtomicU64::new(0)));
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (client, server) = (client.unwrap(), server.clone());
            let (fate, number) = (Arc::clone(&fate), Arc::clone(&number));
            // Either side may hang up at any time: that is what this is about.
            std::thread::spawn(move || _ = one(client, &server, &*fate, &number));
        }
    });
    format!("http://{address}")
}

/// One request and its answer; then the connection ends.
fn one(
    mut client: TcpStream,
    server: &str,
    fate: &Fate,
    number: &AtomicU64,
) -> std::io::Result<()> {
    let mut head = head_of(&mut client)?;
    let first_line = head.lines().next().unwrap_or_default();
    let broken = fate(number.fetch_add(1, Ordering::Relaxed), first_line);
    if broken == Some(Broken::Silent) {
        std::thread::sleep(Duration::from_secs(600));
    }
    if broken != Some(Broken::Reset) {
        client.read_exact(&mut [0])?;
    }
    head.push('\n');
    let mut upstream = TcpStream::connect(server)?;
    let head = head.replacen("\r\n", "\r\nconnection: close\r\n", 1);
    upstream.write_all(head.as_bytes())?;
    let mut answer = Vec::new();
    upstream.read_to_end(&mut answer)?;
    let at = answer.windows(4).position(|four| four == b"\r\n\r\n").map_or(0, |at| at + 4);
    let (head, body) = answer.split_at_mut(at);
    match broken {
        None => client.write_all(&answer),
        Some(Broken::OtherByte) => {
            if let Some(byte) = body.last_mut() {
                *byte ^= 1;
            }
            client.write_all(&answer)
        }
        Some(Broken::Denied) => client
            .write_all(b"HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"),
        Some(Broken::Failed) => {
            client.write_all(&refusal("500 Internal Server Error", "InternalError", ""))
        }
        Some(Broken::SlowDown(seconds)) => {
            let wait = format!("retry-after: {seconds}\r\n");
            client.write_all(&refusal("503 Slow Down", "SlowDown", &wait))
        }
        Some(broken) => {
            client.write_all(head)?;
            client.write_all(&body[..body.len() / 2])?;
            client.flush()?;
            match broken {
                Broken::Short => client.shutdown(Shutdown::Both),
                // A byte that the client has sent and nobody has read makes the system reset the connection.
                Broken::Reset => Ok(()),
                _ => {
                    std::thread::sleep(Duration::from_secs(600));
                    Ok(())
                }
            }
        }
    }
}

/// All of a request but its last byte: a GET has no body.
fn head_of(client: &mut TcpStream) -> std::io::Result<String> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r") {
        client.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// An error as S3 writes it.
pub(crate) fn refusal(status: &str, code: &str, headers: &str) -> Vec<u8> {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code><Message>m</Message></Error>"
    );
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/xml\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
