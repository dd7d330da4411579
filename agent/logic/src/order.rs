//! Lists in order and sets gathered, with the code of one sort for all types.
//!
//! The standard library compiles its sort anew for each type, and brings one for each set that is
//! collected: 4 KB each. Daemon and keeper lock the whole program in memory, and every image of
//! early boot carries one. So none of the programs sorts in any other way.

use alloc::vec::Vec;
use core::cmp::Ordering;

/// As `slice::sort`: stable.
pub fn sort<T: Ord>(items: &mut [T]) {
    sort_by(items, T::cmp);
}

/// As `slice::sort_by_key`: stable.
pub fn sort_by_key<T, K: Ord>(items: &mut [T], key: impl Fn(&T) -> K) {
    sort_by(items, |one, other| key(one).cmp(&key(other)));
}

/// As `slice::sort_by`: stable.
pub fn sort_by<T>(items: &mut [T], compare: impl Fn(&T, &T) -> Ordering) {
    // Most lists are of the disks below a volume: one.
    if items.len() < 2 {
        return;
    }
    let mut order: Vec<usize> = (0..items.len()).collect();
    sort_places(&mut order, &|one, other| compare(&items[one], &items[other]));
    // Along each cycle of the permutation: every place once, so that no order is a slow one.
    for start in 0..order.len() {
        let mut place = start;
        loop {
            let from = core::mem::replace(&mut order[place], place);
            if from == start {
                break;
            }
            items.swap(place, from);
            place = from;
        }
    }
}

/// The one sort.
#[inline(never)]
fn sort_places(order: &mut [usize], compare: &dyn Fn(usize, usize) -> Ordering) {
    order.sort_by(|one, other| compare(*one, *other));
}

/// As `collect` of an ordered map or set: of equal keys the last stays.
pub fn gather<C: Default + Extend<T>, T>(items: impl IntoIterator<Item = T>) -> C {
    let mut all = C::default();
    all.extend(items);
    all
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;

    use super::*;

    #[test]
    fn every_list_is_sorted_as_the_standard_library_sorts_it() {
        // A linear congruential generator (Knuth, MMIX): few keys, so that many are equal.
        let mut state = 1_u64;
        let mut draw = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 60) as u8
        };
        for length in (0..70).chain([1000]) {
            let list: Vec<(u8, usize)> = (0..length).map(|index| (draw(), index)).collect();
            let (mut ours, mut theirs) = (list.clone(), list);
            sort_by_key(&mut ours, |(key, _)| *key);
            theirs.sort_by_key(|(key, _)| *key);
            assert_eq!(ours, theirs, "{length} items");
        }
    }

    /// Turned by one in either direction, every item has to move.
    #[test]
    fn a_long_list_with_one_item_out_of_place_is_sorted() {
        const LENGTH: usize = 100_000;
        for first in [1, LENGTH - 1] {
            let mut list: Vec<usize> = (first..LENGTH).chain(0..first).collect();
            sort(&mut list);
            assert!(list.iter().copied().eq(0..LENGTH), "{first} comes first");
        }
    }

    #[test]
    fn of_equal_keys_the_last_is_gathered() {
        let gathered: BTreeMap<u8, char> = gather([(2, 'a'), (1, 'b'), (2, 'c')]);
        assert_eq!(gathered, [(1, 'b'), (2, 'c')].into_iter().collect());
    }
}
