//! Saved listings of xenstore. The wire protocol has its own mutations, beside it.

use harness::random::Random;
use xvdguard_linux::xenstore::{Answer, Listing, Request};
use xvdguard_logic::text::Text;

use super::{Parser, must};
use crate::mutate::mutated;

const LISTINGS: [&[u8]; 2] = [
    b"device/vbd/51712/backend = \"/local/domain/0/backend/vbd/7/51712\"   (n7,r0)\n\
      device/vbd/51712/state = \"4\"\n\
      /local/domain/0/backend/vbd/7/51712/feature-flush-cache = \"1\"\n\
      /local/domain/0/backend/vbd/7/51712/params = \"/dev/vg\\x1b]0;\"\n",
    b"/local/domain/7 = \"\"   (n7)\n/local/domain/7/vm = \"/vm/1-2\"\n\
      /local/domain/7/device/vbd = \"\"\n/local/domain/7/device/vbd/51712 = \"\"\n\
      /local/domain/9/device/vbd/51712 = \"\"\n/vm/1-2/uuid = \"1-2\"\n",
];

/// A listing: every child that it names can be asked for.
pub fn listing() -> Parser {
    let words: &[&[u8]] = &[b"\" ", b" = ", b"/local/domain/", b"device/vbd", b"(n0)", b"\\x"];
    let make = move |random: &mut Random| Ok(mutated(&LISTINGS, words, random));
    Parser::new("xenstore-list", make, |bytes| {
        let Ok(listing) = Listing::parse(bytes, Some(&Text::from("1-2"))) else {
            return Ok(false);
        };
        let mut open = vec![Text::from("/"), Text::from("device"), Text::from("/local/domain/7")];
        // As many as a listing can have; a child that is its own parent would never end.
        for _ in 0..1000 {
            let Some(path) = open.pop() else { break };
            let names = match listing.answer(&Request::directory(path.clone())) {
                Ok(Answer::Names(names)) => names,
                _ => continue,
            };
            for name in names {
                let child = Text::from([path.as_bytes(), b"/", name.as_bytes()].concat());
                must(!name.is_empty(), "a child has a name")?;
                drop(listing.answer(&Request::read(child.clone())));
                open.push(child);
            }
        }
        Ok(true)
    })
}
