//! Shares work on many items among threads; the order of the results is that of the items.

use std::sync::Mutex;

/// Items that a thread takes at once: fewer are not worth it, and more leave one thread waiting at the end
/// for another whose core was busy with something else.
const PIECE_ITEMS: usize = 64;

/// `work` on every item, shared among `threads`; results in the order of the items.
pub fn spread<T: Send, U: Send>(
    items: Vec<T>,
    threads: usize,
    work: impl Fn(T) -> U + Sync,
) -> Vec<U> {
    if threads <= 1 || items.len() < PIECE_ITEMS {
        return items.into_iter().map(work).collect();
    }
    let pieces = items.len().div_ceil(PIECE_ITEMS);
    let items = Mutex::new(items.into_iter());
    let take = |items: &Mutex<std::vec::IntoIter<T>>| {
        let mut items = items.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let left = items.len().div_ceil(PIECE_ITEMS);
        let piece: Vec<T> = items.by_ref().take(PIECE_ITEMS).collect();
        (!piece.is_empty()).then_some((pieces - left, piece))
    };
    let one_thread = || {
        let mut done = Vec::new();
        while let Some((number, piece)) = take(&items) {
            done.push((number, piece.into_iter().map(&work).collect::<Vec<U>>()));
        }
        done
    };
    let mut done: Vec<(usize, Vec<U>)> = std::thread::scope(|scope| {
        let started: Vec<_> = (1..threads.min(pieces)).map(|_| scope.spawn(one_thread)).collect();
        let here = one_thread();
        let joined = started.into_iter().map(std::thread::ScopedJoinHandle::join);
        let others =
            joined.flat_map(|done| done.unwrap_or_else(|cause| std::panic::resume_unwind(cause)));
        others.chain(here).collect()
    });
    done.sort_unstable_by_key(|(number, _)| *number);
    done.into_iter().flat_map(|(_, piece)| piece).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_stand_in_the_order_of_the_items_however_many_threads_there_are() {
        for count in [0, 1, 63, 64, 65, 1_000] {
            for threads in [0, 1, 2, 7] {
                let found = spread((0..count).collect(), threads, |item: u32| item * 3);
                assert_eq!(found, (0..count).map(|item| item * 3).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn a_thread_that_panics_is_heard() {
        let panics = || spread((0..1_000).collect(), 2, |item: u32| assert!(item != 900));
        assert!(std::panic::catch_unwind(panics).is_err());
    }
}
