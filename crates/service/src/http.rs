//! Answers a monitor on this machine: `/healthz` and `/metrics`, and nothing else.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use unbroken_ledger::seal::Clock;

use crate::board::Board;

/// Whoever asks more slowly is not waited for: there is one thread for all.
const PATIENCE: Duration = Duration::from_secs(2);
const REQUEST_BYTES_MAX: usize = 8_192;
const LOOK: Duration = Duration::from_millis(50);

/// Answers until `stop` is set.
///
/// # Errors
/// Where the address cannot be had.
pub(crate) fn serve(
    address: SocketAddr,
    board: Arc<Board>,
    clock: Arc<dyn Clock>,
    stop: Arc<AtomicBool>,
) -> std::io::Result<std::thread::JoinHandle<()>> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(std::thread::spawn(move || {
        while !stop.load(Ordering::Relaxed) {
            match listener.accept() {
                // One that breaks off harms nobody.
                Ok((stream, _)) => drop(answer(stream, &board, clock.now().unix_ms())),
                Err(_) => std::thread::sleep(LOOK),
            }
        }
    }))
}

fn answer(mut stream: TcpStream, board: &Board, now: u64) -> std::io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let request = request(&mut stream)?;
    let line = request.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let (status, body) = match line {
        b"GET /healthz HTTP/1.1" | b"GET /healthz HTTP/1.0" => match board.health(now) {
            Ok(()) => ("200 OK", "ok\n".to_owned()),
            Err(why) => ("503 Service Unavailable", format!("{why}\n")),
        },
        b"GET /metrics HTTP/1.1" | b"GET /metrics HTTP/1.0" => ("200 OK", board.metrics(now)),
        _ => ("404 Not Found", "there are /healthz and /metrics\n".to_owned()),
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: text/plain; version=0.0.4; charset=utf-8\r\n\
         content-length: {length}\r\nx-content-type-options: nosniff\r\nconnection: close\r\n\r\n{body}"
    )
}

/// The head of a request, within a time and a length.
fn request(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let began = Instant::now();
    let mut request = Vec::new();
    let mut buffer = [0; 1_024];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        let left = PATIENCE.checked_sub(began.elapsed()).filter(|left| !left.is_zero());
        let left = left.ok_or(std::io::ErrorKind::TimedOut)?;
        stream.set_read_timeout(Some(left))?;
        let count = stream.read(&mut buffer)?;
        if count == 0 || request.len() + count > REQUEST_BYTES_MAX {
            return Err(std::io::ErrorKind::InvalidData.into());
        }
        request.extend_from_slice(buffer.get(..count).unwrap_or_default());
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use unbroken_evidence::time::Time;

    struct Fixed;

    impl Clock for Fixed {
        fn now(&self) -> Time {
            Time::from_unix_ms(0)
        }
    }

    fn ask(address: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        answer
    }

    #[test]
    fn it_answers_two_questions_and_no_other_and_waits_for_nobody() {
        let stop = Arc::new(AtomicBool::new(false));
        let board = Arc::new(Board::default());
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let served = serve(free, Arc::clone(&board), Arc::new(Fixed), Arc::clone(&stop)).unwrap();
        // Somebody who says nothing holds the others up for two seconds, and no longer.
        let silent = TcpStream::connect(free).unwrap();
        let well = ask(free, "GET /healthz HTTP/1.1\r\n\r\n");
        assert!(
            well.starts_with("HTTP/1.1 200 OK\r\n") && well.ends_with("\r\n\r\nok\n"),
            "{well}"
        );
        drop(silent);
        assert!(
            ask(free, "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n")
                .contains("unbroken_log_entries 0\n")
        );
        board.set(|facts| facts.refused = Some("why".to_owned()));
        assert!(ask(free, "GET /healthz HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 503"));
        for request in [
            "POST /metrics HTTP/1.1\r\n\r\n",
            "GET /../etc HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\n\r\n",
        ] {
            assert!(ask(free, request).starts_with("HTTP/1.1 404"), "{request}");
        }
        assert_eq!(ask(free, &"x".repeat(10_000)), "");
        assert!(serve(free, board, Arc::new(Fixed), Arc::clone(&stop)).is_err(), "it is taken");
        stop.store(true, Ordering::Relaxed);
        served.join().unwrap();
    }
}
