//! Shares work on many items among threads; the order of the results is that of the items.

/// Fewer items are not worth a thread.
const ITEMS_MIN: usize = 64;

/// `work` on every item, shared among `threads`; results in the order of the items.
pub fn spread<T: Send, U: Send>(
    mut items: Vec<T>,
    threads: usize,
    work: impl Fn(T) -> U + Sync,
) -> Vec<U> {
    let share = items.len().div_ceil(threads.max(1)).max(1);
    if threads <= 1 || items.len() < ITEMS_MIN {
        return items.into_iter().map(work).collect();
    }
    let mut shares = Vec::new();
    while !items.is_empty() {
        let rest = items.split_off(share.min(items.len()));
        shares.push(std::mem::replace(&mut items, rest));
    }
    let work = &work;
    std::thread::scope(|scope| {
        let started: Vec<_> = shares
            .into_iter()
            .map(|share| scope.spawn(move || share.into_iter().map(work).collect::<Vec<U>>()))
            .collect();
        let finished = started.into_iter().map(std::thread::ScopedJoinHandle::join);
        finished
            .flat_map(|done| done.unwrap_or_else(|cause| std::panic::resume_unwind(cause)))
            .collect()
    })
}
