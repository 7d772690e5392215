//! Work that waits for a server, shared among threads one item at a time: while one waits, others ask.

use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};

/// `work` on every item, by so many threads; results in the order of the items.
pub(crate) fn abreast<T: Send, U: Send>(
    items: Vec<T>,
    threads: usize,
    work: impl Fn(T) -> U + Sync,
) -> Vec<U> {
    let begin = || Ok::<(), Infallible>(());
    match abreast_with(items, threads, begin, |item, ()| Ok(work(item))) {
        Ok(done) => done,
    }
}

/// The same, where each thread has what `begin` gives it.
///
/// # Errors
/// The first that `begin` or `work` gave; nothing more is begun then by that thread.
pub(crate) fn abreast_with<T: Send, U: Send, K, E: Send>(
    items: Vec<T>,
    threads: usize,
    begin: impl Fn() -> Result<K, E> + Sync,
    work: impl Fn(T, &mut K) -> Result<U, E> + Sync,
) -> Result<Vec<U>, E> {
    let threads = threads.min(items.len());
    let queue = Mutex::new(items.into_iter().enumerate());
    let one = || {
        let (mut tools, mut done) = (begin()?, Vec::new());
        loop {
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((place, item)) = next else { return Ok(done) };
            done.push((place, work(item, &mut tools)?));
        }
    };
    let ended: Vec<Result<Vec<(usize, U)>, E>> = std::thread::scope(|scope| {
        let started: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
        let join = |thread: std::thread::ScopedJoinHandle<'_, _>| {
            thread.join().unwrap_or_else(|cause| std::panic::resume_unwind(cause))
        };
        started.into_iter().map(join).collect()
    });
    let mut done = Vec::new();
    for some in ended {
        done.extend(some?);
    }
    done.sort_unstable_by_key(|(place, _)| *place);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    /// Fewer than 64 objects were asked for one after the other.
    #[test]
    fn as_many_wait_at_once_as_there_are_threads() {
        let all_wait = Barrier::new(8);
        let done = abreast((0..16).collect(), 8, |item: u32| {
            all_wait.wait();
            item * 2
        });
        assert_eq!(done, (0..16).map(|item| item * 2).collect::<Vec<_>>());
    }

    #[test]
    fn what_fails_is_told() {
        let fails = |item: u32, (): &mut ()| if item == 3 { Err(item) } else { Ok(()) };
        assert_eq!(abreast_with((0..9).collect(), 2, || Ok(()), fails), Err(3));
        assert_eq!(abreast_with(vec![0], 2, || Err::<(), _>(7), fails), Err(7));
        assert_eq!(abreast_with(Vec::new(), 2, || Err::<(), _>(7), fails), Ok(Vec::new()));
    }
}
