//! Answers a monitor on this machine: `/healthz` and `/metrics`, and nothing else.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use unbroken_ledger::seal::Clock;

use crate::board::Board;

/// So many are answered at once; whoever comes then is turned away.
const AT_ONCE: usize = 16;
/// Whoever asks more slowly is not waited for.
const PATIENCE: Duration = Duration::from_secs(2);
const REQUEST_BYTES_MAX: usize = 8_192;
const LOOK: Duration = Duration::from_millis(50);

/// One of the places of those who are answered; free again when it is dropped.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(taken: &Arc<AtomicUsize>) -> Self {
        taken.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(taken))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

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
    let answering = Arc::new(AtomicUsize::new(0));
    Ok(std::thread::spawn(move || {
        while !stop.load(Ordering::Relaxed) {
            match listener.accept() {
                Ok((stream, _)) if answering.load(Ordering::Relaxed) < AT_ONCE => {
                    let (board, now) = (Arc::clone(&board), clock.now().unix_ms());
                    let place = Place::take(&answering);
                    // One that breaks off, or asks slowly, harms nobody.
                    std::thread::spawn(move || {
                        let _place = place;
                        drop(answer(stream, &board, now));
                    });
                }
                Ok((stream, _)) => drop(stream),
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
        // Those who say nothing hold nobody up; when all places are theirs, others are turned away for two seconds.
        let silent: Vec<TcpStream> =
            (1..AT_ONCE).map(|_| TcpStream::connect(free).unwrap()).collect();
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
