//! A clean stop on Ctrl-C or SIGTERM.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use tokio::signal::unix::{SignalKind, signal};

/// A flag that Ctrl-C or SIGTERM sets; the second one ends the process at once, which loses
/// nothing that was acknowledged.
///
/// Where the system gives no handler a signal kills the process, which loses nothing either.
pub(crate) fn on_signal() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    std::thread::spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() else {
            return;
        };
        runtime.block_on(async {
            let (Ok(mut interrupt), Ok(mut terminate)) =
                (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
            else {
                return;
            };
            loop {
                std::future::poll_fn(|context| {
                    let interrupted = interrupt.poll_recv(context).is_ready();
                    let terminated = terminate.poll_recv(context).is_ready();
                    if interrupted || terminated { Poll::Ready(()) } else { Poll::Pending }
                })
                .await;
                if flag.swap(true, Ordering::Relaxed) {
                    std::process::exit(130);
                }
                crate::output::say(
                    "\nstopping: what is read is sealed, the next run goes on from there",
                );
            }
        });
    });
    stop
}
