//! Several environments on one machine.

use crate::support::{File, Slots, Store, add_token, everything_of, tokens};

/// Both have the same addresses inside.
#[test]
fn two_environments_with_the_same_addresses_do_not_meet() {
    let _both = Slots::take(2);
    let none = || Slots::take(0);
    let one = Store::with_slots("one", File::Storefront(""), none());
    let two = Store::with_slots("two", File::Storefront(""), none());
    for up in [&one, &two].map(|store| store.start(&["up"])) {
        up.finish().good();
    }
    assert_eq!(one.blueprint().network, two.blueprint().network);

    let (mut visitor, mut other) = (one.visitor("shop"), two.visitor("shop"));
    assert!(add_token(&mut visitor, "of-one"));
    assert!(add_token(&mut other, "of-two"));
    assert_eq!(tokens(&mut visitor), ["of-one"]);
    assert_eq!(tokens(&mut other), ["of-two"]);

    one.destroy();
    everything_of(&one).assert_none();
    assert_eq!(tokens(&mut other), ["of-two"]);
    other.get("/health_check.php").expect(200);
}
