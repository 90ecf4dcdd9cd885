use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

fn news() -> (News, Arc<AtomicUsize>) {
    let wakes = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&wakes);
    let wake: Wake = Arc::new(move || {
        counted.fetch_add(1, Ordering::Relaxed);
    });
    let senders = Mutex::default();
    (News { senders, wake }, wakes)
}

#[test]
fn a_job_is_woken_once_until_it_has_looked() {
    let (news, wakes) = news();
    for _ in 0..2 {
        let before = wakes.load(Ordering::Relaxed);
        news.add(Address::repeat_byte(1), false);
        news.add(Address::repeat_byte(2), false);
        assert_eq!(wakes.load(Ordering::Relaxed), before + 1);
        assert_eq!(news.take().senders.len(), 2);
        assert!(!news.has_some());
    }
}

#[test]
fn lost_news_make_a_job_look_at_all_senders() {
    let (news, wakes) = news();
    news.add(Address::repeat_byte(1), true);
    assert!(news.has_some(), "though it names no sender");
    news.add(Address::repeat_byte(2), false);
    assert_eq!(wakes.load(Ordering::Relaxed), 1);
    let taken = news.take();
    assert!(taken.all && taken.senders.is_empty());
    assert!(!news.has_some());
    for number in 0..=NEWS_MAX as u64 {
        news.add(Address::left_padding_from(&number.to_be_bytes()), false);
    }
    assert!(news.take().all, "more than are remembered");
}
