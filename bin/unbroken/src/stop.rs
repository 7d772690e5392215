//! A clean stop on Ctrl-C or SIGTERM.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use tokio::signal::unix::{SignalKind, signal};
use unbroken_service::hands::Signals;

/// A flag that Ctrl-C or SIGTERM sets; the second one ends the process at once, which loses
/// nothing that was acknowledged.
///
/// Where the system gives no handler a signal kills the process, which loses nothing either.
pub(crate) fn on_signal() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let (flag, reload) = (Arc::clone(&stop), Arc::default());
    std::thread::spawn(move || {
        listen(&flag, &reload, &[SignalKind::interrupt(), SignalKind::terminate()])
    });
    stop
}

/// The same, and a flag that SIGHUP sets.
pub(crate) fn on_signal_or_reload() -> Signals {
    let signals = Signals::default();
    let Signals { stop, reload } = signals.clone();
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    std::thread::spawn(move || listen(&stop, &reload, &kinds));
    signals
}

fn listen(stop: &AtomicBool, reload: &AtomicBool, kinds: &[SignalKind]) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() else {
        return;
    };
    runtime.block_on(async {
        let listened: Result<Vec<_>, _> = kinds.iter().map(|kind| signal(*kind)).collect();
        let Ok(mut listened) = listened else { return };
        loop {
            let heard = std::future::poll_fn(|context| {
                let mut signals = listened.iter_mut().zip(kinds);
                let heard = signals.find_map(|(signal, kind)| {
                    signal.poll_recv(context).is_ready().then_some(*kind)
                });
                heard.map_or(Poll::Pending, Poll::Ready)
            })
            .await;
            if heard == SignalKind::hangup() {
                reload.store(true, Ordering::Relaxed);
                continue;
            }
            if stop.swap(true, Ordering::Relaxed) {
                std::process::exit(130);
            }
            crate::output::say(
                "\nstopping: what is read is sealed, the next run goes on from there",
            );
        }
    });
}
