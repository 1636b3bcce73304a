//! Independent work, shared out among the processors.

use std::{
    num::NonZero,
    panic,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// Does the same with each item, and gives the results in the items' order. Whoever is done with one
/// takes the next, since some take many times longer than others.
///
/// # Panics
/// Where `make` does.
pub fn map<T: Sync, R: Send>(items: &[T], make: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let work = || {
        let taken = std::iter::from_fn(|| {
            let position = next.fetch_add(1, Ordering::Relaxed);
            items.get(position).map(|item| (position, make(item)))
        });
        taken.collect::<Vec<_>>()
    };
    let mut made = thread::scope(|scope| {
        let helpers = 1..processors().min(items.len());
        let helpers: Vec<_> = helpers.map(|_| scope.spawn(work)).collect();
        let mut made = work();
        for helper in helpers {
            match helper.join() {
                Ok(more) => made.extend(more),
                Err(payload) => panic::resume_unwind(payload),
            }
        }
        made
    });
    made.sort_unstable_by_key(|(position, _)| *position);
    made.into_iter().map(|(_, result)| result).collect()
}

/// The processors that this process may use; finding out reads files of the kernel's.
fn processors() -> usize {
    static PROCESSORS: OnceLock<usize> = OnceLock::new();
    *PROCESSORS.get_or_init(|| thread::available_parallelism().map_or(1, NonZero::get))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_items_order() {
        let items: Vec<usize> = (0..1_000).collect();
        let doubled = map(&items, |item| item * 2);
        assert!(doubled.iter().zip(&items).all(|(it, item)| *it == item * 2));
        assert_eq!(doubled.len(), items.len());
        assert!(map(&[], |item: &usize| *item).is_empty());
    }

    #[test]
    #[should_panic(expected = "seven")]
    fn a_panic_is_handed_on() {
        map(&[1, 7, 3, 4], |item| assert_ne!(*item, 7, "seven"));
    }
}
